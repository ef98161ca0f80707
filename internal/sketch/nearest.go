package sketch

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Looked at by their bytes are the best by their signs: so many, and of large sets one in so many. Of random vectors of 256
// numbers signs leave out one in 8,000 of those whose cosine is 0.31, and hardly any that is nearer.
const (
	leastLooked = 512
	shareLooked = 32
)

// Near is what a vector is of, and about its q·r − half.
type Near struct {
	ID    uuid.UUID
	Score float32
}

// Nearest returns of what the k nearest vectors are, the nearest first and each once, and a bound: the q·r − half of any
// other vector is below it, but for what bytes cannot tell (a few thousandths). What is gone is passed over. Where fewer than
// k are left the bound is −Inf, and where too much is gone +Inf. A vector is missed when its signs say much less for it than is
// true.
func (s *Set) Nearest(q []float32, k int, gone map[uuid.UUID]bool) (near []Near, bound float32) {
	s.mu.RLock()
	segments, rows := s.segments, s.rows
	s.mu.RUnlock()
	if rows == 0 || k < 1 {
		return nil, float32(math.Inf(-1))
	}
	found := s.look(q).promising(segments, rows, k, gone)
	switch {
	case found.seen <= k && found.looked == rows: // nothing is left
		bound = float32(math.Inf(-1))
	case len(found.rows) == k:
		bound = found.rows[k-1].score
	default: // so many of those looked at are gone that others may be as near
		bound = float32(math.Inf(1))
	}
	named := make(map[uuid.UUID]bool, len(found.rows))
	for _, c := range found.rows {
		if !named[c.id] {
			named[c.id] = true
			near = append(near, Near{c.id, c.score})
		}
	}
	return near, bound
}

// ranked is a row with its score.
type ranked struct {
	id    uuid.UUID
	score float32
}

// best are the k nearest rows of those looked at, the nearest first, but for what is gone, and how many were looked at, and
// seen, as they are not gone.
type best struct {
	k            int
	rows         []ranked
	looked, seen int
}

// take reads the id only of what is kept: most of what is looked at is not.
func (b *best) take(id *uuid.UUID, score float32) {
	if len(b.rows) == b.k && score <= b.rows[b.k-1].score {
		return
	}
	at, _ := slices.BinarySearchFunc(b.rows, score, func(c ranked, score float32) int {
		if c.score >= score {
			return -1
		}
		return 1
	})
	b.rows = slices.Insert(b.rows, at, ranked{*id, score})
	b.rows = b.rows[:min(b.k, len(b.rows))]
}

// look is a query as a set is asked for it.
type look struct {
	set       *Set
	tables    []byte // see sketch_keys; in steps above the lowest sum
	tableStep float32
	lowest    float32
	codes     []int16
	step      float32
	middle    float32 // q·mean
}

func (s *Set) look(q []float32) *look {
	l := &look{set: s, codes: make([]int16, s.dims)}
	centred := make([]float32, 8*s.groups)
	var most float32
	for i, x := range q {
		centred[i] = x - s.mean[i]
		l.middle += x * s.mean[i]
		most = max(most, x, -x)
	}
	l.tabulate(centred)
	l.step = most / 2047 // 12 bits: the sums of products of 4,000 numbers fit in 32
	quantise(q, l.step, l.codes)
	return l
}

// tabulate makes the tables of q's numbers less the mean.
func (l *look) tabulate(q []float32) {
	var widest float32
	for four := range slices.Chunk(q, 4) {
		var sum float32
		for _, x := range four {
			sum += max(x, -x)
		}
		l.lowest, widest = l.lowest-sum, max(widest, 2*sum)
	}
	l.tableStep = widest / inTable
	if l.tableStep == 0 {
		l.tableStep = 1
	}
	for four := range slices.Chunk(q, 4) {
		for signs := range 16 {
			var above float32
			for i, x := range four {
				if x > 0 == (signs>>i&1 == 1) {
					above += 2 * max(x, -x)
				}
			}
			l.tables = append(l.tables, byte(above/l.tableStep+0.5))
		}
	}
}

// keySpace is for the keys of rows.
var keySpace = sync.Pool{New: func() any { return new([]int16) }}

// promising returns the best by their bytes of the rows that look best by their signs.
func (l *look) promising(segments []*segment, rows, k int, gone map[uuid.UUID]bool) best {
	space := keySpace.Get().(*[]int16)
	defer keySpace.Put(space)
	*space = slices.Grow((*space)[:0], rows+block)[:rows]
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
	found := slices.Repeat([]best{{k: k}}, parts)
	spaces := make([][perSegment + 1]uint32, parts)
	onCores(parts, len(segments), func(part, i int) {
		l.score(segments[i], rowsFrom(keysOf(i), least, spaces[part][:]), gone, &found[part])
	})
	all := found[0]
	for _, more := range found[1:] {
		all.looked, all.seen = all.looked+more.looked, all.seen+more.seen
		for _, c := range more.rows {
			all.take(&c.id, c.score)
		}
	}
	return all
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

// score takes some rows of a segment.
func (l *look) score(g *segment, rows []uint32, gone map[uuid.UUID]bool, to *best) {
	products := make([]int32, len(rows))
	l.products(g, rows, products)
	to.looked += len(rows)
	for i, row := range rows {
		if len(gone) > 0 && gone[g.ids[row]] {
			continue
		}
		to.seen++
		to.take(&g.ids[row], float32(products[i])*l.step*g.steps[row]+l.middle-g.halves[row])
	}
}
