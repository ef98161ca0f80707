package pointindex

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"moderator/internal/keypoint"
)

// Candidate is a flag that an upload may show.
type Candidate struct {
	ID      uint32
	Score   float32 // sum of the votes that agree on one place; comparable within one search
	Points  int     // that cast them
	Variant keypoint.Variant
}

// probesOf is in how many buckets each point is looked up: the more flags, the more projections choose a bucket, and the more of
// them an edit may flip. An upload of many points is looked up in at most about probesAll buckets.
//
// At a million flags half as much again finds no more. At 10,000 flags, of 1,846 copies that verification accepts by 300 keypoints,
// 24 buckets bring 1,837 among the first 8, 16 bring 1,825, and 32 bring 1,837 in a fifth more time.
func probesOf(flags uint32, points int) int {
	const (
		probesAll          = 64 << 10
		atMillion, million = mostProbes, 20 // its length in bits
		least, leastOfMany = 24, 16
		halves             = 3 // bits of length in which they double
	)
	each := max(least, int(atMillion*math.Exp2(float64(bits.Len32(flags)-million)/halves)))
	return max(leastOfMany, min(atMillion, each, probesAll/points))
}

// codeLimit is in how many bits codes may differ for a vote. Of verifiable copies 17 bits bring .9925 among the first 8 of a million
// flags, and 18 bring .9954. Fewer flags could have more bits, as fewer of their votes are by chance: of 10,000 flags 20 bits
// bring one of 1,846 copies more, in 1.6 times the time.
const codeLimit = 18

// Search returns the flags with the most votes, the best first: at most most of them, and none that fewer than leastPoints
// points speak for.
func (x *Index) Search(upload keypoint.Upload, most int) []Candidate {
	return x.SearchOn(1, upload, most)
}

// SearchOn is Search on so many cores at once.
func (x *Index) SearchOn(cores int, upload keypoint.Upload, most int) []Candidate {
	q := newQuery(upload)
	if len(q.points) == 0 {
		return nil
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	flags := x.flags.Load()
	q.probes(x.bucketBits(), probesOf(flags, len(q.points)), s)
	for len(s.looks) < cores {
		s.looks = append(s.looks, new(look))
	}
	var next atomic.Int32
	var all sync.WaitGroup
	for _, l := range s.looks[:cores] {
		l.hits = l.hits[:0]
		all.Go(func() {
			for i := next.Add(1) - 1; i < partitions; i = next.Add(1) - 1 {
				x.locks[i].RLock()
				l.look(x.partitions[i], s.asks[s.starts[i]:s.starts[i+1]], q.codes)
				x.locks[i].RUnlock()
			}
		})
	}
	all.Wait()
	s.hits = s.hits[:0]
	for _, l := range s.looks[:cores] {
		s.hits = append(s.hits, l.hits...)
	}
	return x.ranked(q, s, most)
}

// bucketBits is the number of projections that choose a bucket, in the partition that has the most.
func (x *Index) bucketBits() int {
	most := 0
	for i := range x.partitions {
		x.locks[i].RLock()
		most = max(most, x.partitions[i].bits)
		x.locks[i].RUnlock()
	}
	return partDims + most
}

// query is the points of an upload in all its variants.
type query struct {
	points   []keypoint.Point
	variants []keypoint.Variant
	sizes    []float32 // of the points, in steps of scale
	z        []int16
	parts    []uint32
	codes    []uint64
}

func newQuery(upload keypoint.Upload) *query {
	n := 0
	for _, f := range upload {
		n += len(f.Points)
	}
	q := &query{
		points: make([]keypoint.Point, 0, n), variants: make([]keypoint.Variant, n), sizes: make([]float32, n), parts: make([]uint32, n),
		codes: make([]uint64, n),
	}
	for v, f := range upload {
		for i := range f.Points {
			q.variants[len(q.points)+i] = keypoint.Variant(v)
		}
		q.points = append(q.points, f.Points...)
	}
	q.z = projected(q.points)
	for i := range q.points {
		q.sizes[i] = size(&q.points[i])
		q.parts[i], q.codes[i] = signs(q.z[i*width:])
	}
	return q
}

// hit is an entry near to a point.
type hit struct {
	spot            spot
	query, distance uint32
}

// scratch is a search's memory, which is too much to be made anew for each.
type scratch struct {
	asks   []ask                  // by partition
	starts [partitions + 1]uint32 // of each partition's asks
	flips  []uint32
	looks  []*look
	hits   []hit
	votes  []uint32 // of each flag in each variant; zeros between searches
	sorted []hit
}

// look is what a core needs.
type look struct {
	hits  []hit
	found [1 << 16]near
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// look collects the entries of a partition that are near to the queries. Of a partition's frozen entries it takes no more
// than there is room for.
func (l *look) look(p *partition, asks []ask, codes []uint64) {
	n := p.near(asks, codes, codeLimit, l.found[:])
	for _, f := range l.found[:n] {
		l.hits = append(l.hits, hit{p.spots.Values[f.at], f.query, f.distance})
	}
	if len(p.delta) == 0 {
		return
	}
	for _, a := range asks {
		if a.flip>>p.bits != 0 {
			continue
		}
		code := codes[a.point]
		for k := p.heads[p.bucket(code)^a.flip]; k >= 0; k = p.delta[k].next {
			if d := bits.OnesCount64(code ^ p.delta[k].code); d <= codeLimit {
				l.hits = append(l.hits, hit{p.delta[k].spot, a.point, uint32(d)})
			}
		}
	}
}
