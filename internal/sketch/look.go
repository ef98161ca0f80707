package sketch

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// look is a query as a set is asked for it.
type look struct {
	set       *Set
	tables    []byte // see sketch_keys; in steps above the lowest sum
	tableStep float32
	lowest    float32
	codes     []int16 // of q less the mean
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
		most = max(most, centred[i], -centred[i])
	}
	l.tabulate(centred)
	l.step = most / 2047 // 12 bits: the sums of products of 4,000 numbers fit in 32
	quantise(centred[:s.dims], l.step, l.codes)
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

// scratch is what a question needs meanwhile.
type scratch struct {
	keys  []int16 // of all rows
	parts []part
}

// part is what a core works with.
type part struct {
	counts [allKeys]uint32 // of rows with a key
	rows   []uint32
	scores []float32
	best   best
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// countedOf is of how many rows of a large set one is counted, to know which key so many reach.
const countedOf = 7

// promising returns the best by their bytes of the rows that look best by their signs.
func (l *look) promising(segments []filled, rows, k int, deleted map[uuid.UUID]bool) best {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.keys = slices.Grow(s.keys[:0], len(segments)*l.set.perSegment)[:len(segments)*l.set.perSegment]
	keysOf := func(i int) []int16 { return s.keys[i*l.set.perSegment:][:segments[i].rows] }
	s.begin(min(runtime.GOMAXPROCS(0), 1+len(segments)/worthACore), l.set.perSegment, k)

	every := 1
	if rows > countedOf*leastLooked*shareLooked {
		every = countedOf
	}
	s.each(len(segments), func(p *part, i int) { l.keys(segments[i].segment, keysOf(i), every, &p.counts) })
	want, least := max(leastLooked, rows/shareLooked), allKeys
	for n := 0; n < want && least > 0; {
		least--
		for i := range s.parts {
			n += every * int(s.parts[i].counts[least])
		}
	}
	s.each(len(segments), func(p *part, i int) { l.score(segments[i].segment, keysOf(i), least, deleted, p) })
	runtime.KeepAlive(segments) // whose memory is not Go's
	all := s.parts[0].best
	for _, p := range s.parts[1:] {
		all.add(p.best)
	}
	return all
}

// worthACore is how many segments are asked in the time in which another core is begun with.
const worthACore = 8

// begin makes room for n parts.
func (s *scratch) begin(n, perSegment, k int) {
	s.parts = slices.Grow(s.parts[:0], n)[:n]
	for i := range s.parts {
		p := &s.parts[i]
		clear(p.counts[:])
		p.rows = slices.Grow(p.rows[:0], perSegment+1)[:perSegment+1]
		p.scores = slices.Grow(p.scores[:0], perSegment)
		p.best = best{k: k, rows: make([]ranked, 0, k)}
	}
}

// each calls do for 0 to n-1. A core that is kept from it leaves more to the others.
func (s *scratch) each(n int, do func(p *part, i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for at := range s.parts {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(&s.parts[at], i)
			}
		})
	}
	all.Wait()
}

// score takes the rows of a segment whose key is least or more.
func (l *look) score(g *segment, keys []int16, least int, deleted map[uuid.UUID]bool, p *part) {
	rows := rowsFrom(keys, least, p.rows)
	scores := p.scores[:len(rows)]
	l.scores(g, rows, scores)
	p.best.looked += len(rows)
	for i, row := range rows {
		switch {
		case len(deleted) > 0 && deleted[g.ids[row]]:
			p.best.deleted++
		case p.best.keeps(scores[i]):
			p.best.keep(ranked{g.ids[row], scores[i]})
		}
	}
}
