package dedupe

import (
	"cmp"
	"slices"
)

// Groups sorts pictures 0 to n-1 into groups in which every two are a pair, by complete-link clustering: the two groups
// whose least alike members are most alike are joined first, and none are joined whose members are not all pairs. So a
// series in which each picture resembles the next does not become one group. Pictures that are in no group of two or more
// are left out; groups and their members are in ascending order.
//
// The pairs are taken from the most alike to the least. Two groups can be joined at the moment when the last pair between
// them is taken, and the first two for which that happens are those that complete link joins next; so the number of pairs
// taken between two groups is all that has to be known of them.
func Groups(n int, pairs []Pair) [][]int {
	ordered := slices.Clone(pairs)
	slices.SortStableFunc(ordered, func(a, b Pair) int { return b.compare(a) })
	c := clusters{of: make([]int32, n), members: make([][]int, n), taken: make([]map[int32]int, n)}
	for i := range n {
		c.of[i], c.members[i] = int32(i), []int{i}
	}
	for _, p := range ordered {
		c.take(c.of[p.A], c.of[p.B])
	}
	var groups [][]int
	for _, members := range c.members {
		if len(members) > 1 {
			slices.Sort(members)
			groups = append(groups, members)
		}
	}
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return groups
}

// clusters are the groups so far, each named by one of its pictures.
type clusters struct {
	of      []int32         // the group of a picture
	members [][]int         // of a group; nil where it was joined to another
	taken   []map[int32]int // of a group: the number of pairs with each other group
}

// take counts a pair between two groups, and joins them when it was the last.
func (c *clusters) take(a, b int32) {
	if a == b {
		return
	}
	if len(c.taken[a]) < len(c.taken[b]) {
		a, b = b, a
	}
	c.add(a, b, 1)
	if c.taken[a][b] < len(c.members[a])*len(c.members[b]) {
		return
	}
	// b has fewer neighbours: it goes into a.
	delete(c.taken[a], b)
	for other, n := range c.taken[b] {
		delete(c.taken[other], b)
		if other != a {
			c.add(a, other, n)
		}
	}
	for _, i := range c.members[b] {
		c.of[i] = a
	}
	c.members[a] = append(c.members[a], c.members[b]...)
	c.members[b], c.taken[b] = nil, nil
}

// add counts n pairs between two groups, on both sides.
func (c *clusters) add(a, b int32, n int) {
	for _, side := range [][2]int32{{a, b}, {b, a}} {
		if c.taken[side[0]] == nil {
			c.taken[side[0]] = map[int32]int{}
		}
		c.taken[side[0]][side[1]] += n
	}
}
