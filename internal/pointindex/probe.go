package pointindex

import (
	"math/bits"
	"slices"
)

// flipSets are sets of projections whose signs are flipped: of the weakest, those nearest to zero, as a copy has other signs there. The
// buckets that are looked into are those of the most probable signs (Lv et al., "Multi-Probe LSH: Efficient Indexing for
// High-Dimensional Similarity Search", 2007).
//
// The most probable sets come first: the k-th least of many is about in proportion to k, and how improbable a set is goes with the sum of
// the squares. A set comes after all its subsets.
var flipSets = func() []flipSet {
	cost := func(set int) (sum int) {
		for ; set != 0; set &= set - 1 {
			k := bits.TrailingZeros(uint(set)) + 1
			sum += k * (k + 1)
		}
		return sum
	}
	all := make([]int, 1<<weakest)
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int { return cost(a) - cost(b) })
	sets := make([]flipSet, mostProbes)
	for i, set := range all[1:mostProbes] {
		sets[i+1] = flipSet{uint32(slices.Index(all, set&(set-1))), uint32(bits.TrailingZeros(uint(set)))}
	}
	return sets
}()
