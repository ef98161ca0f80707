package pointindex

import (
	"math/bits"
	"slices"
)

// weakest is how many projections have their signs flipped: those nearest to zero, as a copy has other signs there. The
// buckets that are looked into are those of the most probable signs (Lv et al., "Multi-Probe LSH: Efficient Indexing for
// High-Dimensional Similarity Search", 2007).
const weakest = 10

// flipSets are all sets of the weakest projections, the most probable first: the k-th least of many is about in proportion to
// k, and how improbable a set is goes with the sum of the squares. A set comes after all its subsets.
var flipSets = func() []uint16 {
	cost := func(set uint16) (sum int) {
		for ; set != 0; set &= set - 1 {
			k := bits.TrailingZeros16(set) + 1
			sum += k * (k + 1)
		}
		return sum
	}
	all := make([]uint16, 1<<weakest)
	for i := range all {
		all[i] = uint16(i)
	}
	slices.SortStableFunc(all, func(a, b uint16) int { return cost(a) - cost(b) })
	return all
}()

// appendFlips appends which of the first n projections have other signs in the buckets that are looked into, a bit each: the
// first is none.
func appendFlips(flips []uint32, z []int16, n, most int) []uint32 {
	var margins [weakest]int16
	var dims [weakest]uint32 // as bits, by rising margin
	count := 0
	for d, v := range z[:n] {
		m := max(v, -v)
		if count == weakest && m >= margins[weakest-1] {
			continue
		}
		count = min(count+1, weakest)
		at := count - 1
		for ; at > 0 && margins[at-1] > m; at-- {
			margins[at], dims[at] = margins[at-1], dims[at-1]
		}
		margins[at], dims[at] = m, 1<<d
	}
	for _, set := range flipSets[:most] {
		var flip uint32
		for s := set; s != 0; s &= s - 1 {
			flip |= dims[bits.TrailingZeros16(s)]
		}
		flips = append(flips, flip)
	}
	return flips
}
