package pointindex

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"moderator/internal/keypoint"
)

// FlagPoints is how many points of a flag are in the index: the first, which Extract spreads over the picture.
const FlagPoints = 64

// Index is the points of flags in memory, each flag known by its ID: 0, 1, 2, … in the order of Add. It is safe for
// concurrent use. A flag takes about 1.1 KB.
type Index struct {
	adding sync.Mutex // one Add at a time

	locks      [partitions]sync.RWMutex
	partitions [partitions]*partition
	flags      atomic.Uint32

	tombs   sync.RWMutex
	deleted []uint64
	removed int
	purged  int // of removed
}

const partitions = 1 << partDims

// New is an index without flags.
func New() *Index {
	x := &Index{}
	for i := range x.partitions {
		x.partitions[i] = newPartition(0)
	}
	return x
}

// Add adds flags and returns the ID of the first. The others' follow it. A flag without points has an ID too.
//
// Many are added fastest in batches of 50,000 and more: fewer entries are merged twice.
func (x *Index) Add(flags ...keypoint.Features) (first uint32) {
	x.adding.Lock()
	defer x.adding.Unlock()
	first = x.flags.Load()
	var added [partitions][]entry
	for i, f := range flags {
		points := f.Points[:min(len(f.Points), FlagPoints)]
		z := projected(points)
		for k := range points {
			part, code := signs(z[k*width:])
			x, y, angle, scale := packed(&points[k])
			added[part] = append(added[part], entry{code, spot{first + uint32(i), x, y, angle, scale}})
		}
	}
	n := first + uint32(len(flags))
	x.tombs.Lock()
	for len(x.deleted)*64 < int(n) {
		x.deleted = append(x.deleted, 0)
	}
	x.tombs.Unlock()
	x.flags.Store(n)
	for i, entries := range added {
		if len(entries) > 0 {
			x.insert(i, entries)
		}
	}
	return first
}

func (x *Index) insert(i int, entries []entry) {
	p := x.partitions[i] // nobody else writes it
	if !p.overflows(len(entries)) {
		x.locks[i].Lock()
		defer x.locks[i].Unlock()
		for _, e := range entries {
			p.insert(e)
		}
		return
	}
	x.tombs.RLock()
	deleted := slices.Clone(x.deleted)
	x.tombs.RUnlock()
	x.merge(i, entries, deleted)
}

func (x *Index) merge(i int, entries []entry, deleted []uint64) {
	merged := x.partitions[i].merged(entries, func(flag uint32) bool { return deleted[flag/64]>>(flag%64)&1 != 0 })
	x.locks[i].Lock()
	x.partitions[i] = merged
	x.locks[i].Unlock()
}

// Purge takes the entries of all flags that are removed out, a partition at a time: it needs little memory beside the index, which is
// searched meanwhile. Flags keep their IDs.
func (x *Index) Purge() {
	x.adding.Lock()
	defer x.adding.Unlock()
	x.tombs.RLock()
	deleted, removed := slices.Clone(x.deleted), x.removed
	x.tombs.RUnlock()
	for i := range x.partitions {
		x.merge(i, nil, deleted)
	}
	runtime.GC() // the partitions' memory is not Go's, whose collector does not see it
	x.tombs.Lock()
	x.purged = removed
	x.tombs.Unlock()
}

// Removed is the number of flags that were removed since the last Purge.
func (x *Index) Removed() int {
	x.tombs.RLock()
	defer x.tombs.RUnlock()
	return x.removed - x.purged
}

// Remove takes a flag out. It panics if none has the ID; one that is removed already stays so. Its entries stay until their
// partition is merged.
func (x *Index) Remove(id uint32) {
	x.tombs.Lock()
	defer x.tombs.Unlock()
	if id >= x.flags.Load() {
		panic("pointindex: remove: no flag has this ID")
	}
	if x.deleted[id/64]>>(id%64)&1 == 0 {
		x.deleted[id/64] |= 1 << (id % 64)
		x.removed++
	}
}

func (x *Index) isDeleted(id uint32) bool {
	x.tombs.RLock()
	defer x.tombs.RUnlock()
	return x.deleted[id/64]>>(id%64)&1 != 0
}

// Len is the number of flags that were added and not removed.
func (x *Index) Len() int {
	x.tombs.RLock()
	defer x.tombs.RUnlock()
	return int(x.flags.Load()) - x.removed
}

// Bytes is the memory that the index takes.
func (x *Index) Bytes() (size int64) {
	for i := range x.partitions {
		x.locks[i].RLock()
		size += x.partitions[i].size()
		x.locks[i].RUnlock()
	}
	return size
}

// The packed form of where a point is: steps of 1.25 pixels, of a 256th turn and of a 32nd octave.
const (
	perPixel  = 255.0 / keypoint.Side
	perOctave = 32
	turn      = 256
)

// size is a point's scale, in steps above half a pixel.
func size(p *keypoint.Point) float32 { return float32(math.Log2(2*float64(p.Scale))) * perOctave }

func packed(p *keypoint.Point) (x, y, angle, scale uint8) {
	fit := func(v float32) uint8 { return uint8(min(255, max(0, v+0.5))) }
	a := int(math.Round(float64(p.Angle) / (2 * math.Pi) * turn))
	return fit(p.X * perPixel), fit(p.Y * perPixel), uint8(a & (turn - 1)), fit(size(p))
}
