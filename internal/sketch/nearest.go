package sketch

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Looked at by their bytes are the best by their signs: so many, and of large sets one in so many.
const (
	leastLooked = 512
	shareLooked = 512
)

// Near is what a vector is of, and about its q·r − half.
type Near struct {
	ID    uuid.UUID
	Score float32
}

// Nearest returns of what the k nearest vectors are, the nearest first and each once, and a bound: the q·r − half of any
// other vector is below it, but for what bytes cannot tell (a few thousandths). What is gone is passed over. Where
// fewer than k are left the bound is −Inf, and where too much is gone +Inf. A vector is missed when its signs, of which each is as likely to differ as the
// angle between r and q is a part of a half turn, say much less for it than is true.
func (s *Set) Nearest(q []float32, k int, gone map[uuid.UUID]bool) (near []Near, bound float32) {
	s.mu.RLock()
	segments, rows := s.segments, s.rows
	s.mu.RUnlock()
	if rows == 0 || k < 1 {
		return nil, float32(math.Inf(-1))
	}
	l := s.look(q)
	best := make([]ranked, 0, k+1)
	seen := 0
	looked := l.promising(segments, rows)
	for _, c := range looked {
		if gone[segments[c.row/perSegment].ids[c.row%perSegment]] {
			continue
		}
		seen++
		if len(best) == k && c.score <= best[k-1].score {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, c, func(a, b ranked) int {
			if a.score >= b.score {
				return -1
			}
			return 1
		})
		best = slices.Insert(best, at, c)
		best = best[:min(k, len(best))]
	}
	switch {
	case seen <= k && len(looked) == rows: // nothing is left
		bound = float32(math.Inf(-1))
	case len(best) == k:
		bound = best[k-1].score
	default: // so many of those looked at are gone that others may be as near
		bound = float32(math.Inf(1))
	}
	named := make(map[uuid.UUID]bool, len(best))
	for _, c := range best {
		if id := segments[c.row/perSegment].ids[c.row%perSegment]; !named[id] {
			named[id] = true
			near = append(near, Near{id, c.score})
		}
	}
	return near, bound
}

// ranked is a row with its score.
type ranked struct {
	row   int
	score float32
}

// look is a query as a set is asked for it.
type look struct {
	set    *Set
	signs  []uint64
	worth  []int16 // what so many different signs are worth, in units
	codes  []int16
	step   float32
	middle float32 // q·mean
}

func (s *Set) look(q []float32) *look {
	l := &look{set: s, signs: make([]uint64, s.words), worth: make([]int16, s.dims+1), codes: make([]int16, s.dims)}
	centred := make([]float32, s.dims)
	var square, most float32
	for i, x := range q {
		centred[i] = x - s.mean[i]
		l.middle += x * s.mean[i]
		square, most = square+centred[i]*centred[i], max(most, x, -x)
	}
	signsOf(centred, l.signs)
	for differ := range l.worth {
		l.worth[differ] = inUnits(math.Sqrt(float64(square)) * math.Cos(math.Pi*float64(differ)/float64(s.dims)))
	}
	l.step = most / 2047 // 12 bits: the sums of products of 4,000 numbers fit in 32
	quantise(q, l.step, l.codes)
	return l
}

// keySpace is for the keys of rows.
var keySpace = sync.Pool{New: func() any { return new([]int16) }}

// promising returns the rows that look best by their signs with their scores by their bytes.
func (l *look) promising(segments []*segment, rows int) []ranked {
	space := keySpace.Get().(*[]int16)
	defer keySpace.Put(space)
	*space = slices.Grow((*space)[:0], rows)[:rows]
	keysOf := func(i int) []int16 { return (*space)[i*perSegment : min((i+1)*perSegment, rows)] }

	parts := min(runtime.GOMAXPROCS(0), 1+len(segments)/worthACore)
	counts := make([][allKeys]uint32, parts)
	onCores(parts, len(segments), func(part, i int) { l.keys(segments[i], keysOf(i), &counts[part]) })
	want, least := max(leastLooked, rows/shareLooked), allKeys
	for n := 0; n < want && least > 0; {
		least--
		for part := range counts {
			n += int(counts[part][least])
		}
	}
	looked := make([][]ranked, parts)
	onCores(parts, len(segments), func(part, i int) {
		looked[part] = l.score(segments[i], i*perSegment, rowsFrom(keysOf(i), least), looked[part])
	})
	return slices.Concat(looked...)
}

// worthACore is how many segments are asked in the time in which another core is begun with.
const worthACore = 8

// onCores calls do for 0 to n-1, in consecutive parts side by side.
func onCores(parts, n int, do func(part, i int)) {
	var all sync.WaitGroup
	for part := range parts {
		all.Go(func() {
			for i := n * part / parts; i < n*(part+1)/parts; i++ {
				do(part, i)
			}
		})
	}
	all.Wait()
}

// score appends some rows of a segment, of which the first has this number.
func (l *look) score(g *segment, first int, rows []uint32, to []ranked) []ranked {
	products := make([]int32, len(rows))
	l.products(g, rows, products)
	for i, row := range rows {
		to = append(to, ranked{first + int(row), float32(products[i])*l.step*g.steps[row] + l.middle - g.halves[row]})
	}
	return to
}
