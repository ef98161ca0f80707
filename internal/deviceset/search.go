package deviceset

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/google/uuid"
	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/sketch"
)

// queriesAtOnce bounds the products that the device holds of one block.
const queriesAtOnce = 64

// Nearest returns for each query of what the k nearest vectors are, the nearest first and each once, and a bound: the q·r − penalty of
// no other vector exceeds it. What is deleted is passed over. Where more of the nearest are deleted than a block returns, some of those
// behind them are not found, and the bound says how near these may be. Scores are of q and r in float16, with an error of some 1e-5.
func (s *Set) Nearest(queries [][]float32, k int, deleted map[uuid.UUID]bool) (near [][]sketch.Near, bounds []float32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.onDevice.copyLast(s.width); err != nil {
		return nil, nil, err
	}
	for some := range slices.Chunk(queries, queriesAtOnce) {
		found, err := s.search(some, k, deleted)
		if err != nil {
			return nil, nil, fmt.Errorf("search on %s: %w", s.onDevice.on, err)
		}
		for i := range found {
			near, bounds = append(near, s.named(found[i].rows)), append(bounds, found[i].bound-1)
		}
	}
	return near, bounds, nil
}

// named are rows with their scores, of each flag the nearest.
func (s *Set) named(rows []ranked) []sketch.Near {
	near := make([]sketch.Near, 0, len(rows))
	seen := make(map[uuid.UUID]bool, len(rows))
	for _, row := range rows {
		if id := s.ids[row.row]; !seen[id] {
			seen[id] = true
			near = append(near, sketch.Near{ID: id, Score: row.product - 1})
		}
	}
	return near
}

// search returns the best rows of all blocks for each query, at most queriesAtOnce.
func (s *Set) search(queries [][]float32, k int, deleted map[uuid.UUID]bool) (_ []best, err error) {
	found := make([]best, len(queries))
	rows := make([]uint16, 0, len(queries)*s.width)
	for i, q := range queries {
		found[i] = best{k: k, bound: float32(math.Inf(-1))}
		rows = append(rows, s.row(q, 1)...)
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	input, err := tensor(&pinner, rows, s.width)
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	scores, places := make([]float32, len(queries)*returned), make([]int64, len(queries)*returned)
	pinner.Pin(&scores[0])
	pinner.Pin(&places[0])
	shape := ort.NewShape(int64(len(queries)), returned)
	scored, err := ort.NewTensor(shape, scores)
	if err != nil {
		return nil, err
	}
	defer scored.Destroy()
	placed, err := ort.NewTensor(shape, places)
	if err != nil {
		return nil, err
	}
	defer placed.Destroy()
	for i, b := range s.onDevice.blocks {
		err := s.onDevice.on.InTurn(func() error {
			err := errors.Join(b.binding.BindInput(queriesName, input), b.binding.BindOutput(scoresName, scored), b.binding.BindOutput(placesName, placed))
			if err != nil {
				return err
			}
			return s.onDevice.session.RunWithBinding(b.binding)
		})
		if err != nil {
			return nil, err
		}
		first := i * s.perBlock
		ids := s.ids[first:min(first+s.perBlock, len(s.ids))]
		for n := range found {
			from, to := n*returned, (n+1)*returned
			if err := found[n].add(scores[from:to], places[from:to], first, ids, deleted); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// ranked is a row of the set with its product with the query.
type ranked struct {
	row     int
	product float32
}

// best are the k nearest rows of those that came back, the nearest first, and a bound of the others' products.
type best struct {
	k     int
	rows  []ranked
	bound float32
}

// add takes the rows that came back of a block, by descending product. The block's first row is the set's row first, and its
// rows are of ids.
func (b *best) add(products []float32, places []int64, first int, ids []uuid.UUID, deleted map[uuid.UUID]bool) error {
	came := 0
	for i, product := range products {
		place := int(places[i])
		if place < 0 || math.IsNaN(float64(product)) {
			return fmt.Errorf("the device computes nonsense: the product %g for the row %d of a block", product, place)
		}
		if len(b.rows) == b.k && product <= b.rows[b.k-1].product {
			b.bound = max(b.bound, product)
			return nil
		}
		if place >= len(ids) { // a row of zeros
			continue
		}
		came++
		if !deleted[ids[place]] {
			b.keep(ranked{first + place, product})
		}
	}
	if came < len(ids) {
		b.bound = max(b.bound, products[len(products)-1])
	}
	return nil
}

func (b *best) keep(row ranked) {
	if len(b.rows) == b.k {
		b.bound = max(b.bound, b.rows[b.k-1].product)
		b.rows = b.rows[:b.k-1]
	}
	at, _ := slices.BinarySearchFunc(b.rows, row, func(a, b ranked) int { return cmp.Compare(b.product, a.product) })
	b.rows = slices.Insert(b.rows, at, row)
}
