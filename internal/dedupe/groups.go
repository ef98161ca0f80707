package dedupe

import (
	"cmp"
	"slices"
)

// Groups groups pictures 0 to n-1 by complete-link clustering, such that any two pictures of a group are a pair. So a series
// in which each picture resembles the next does not become one group. Pictures without a group are left out. Groups and
// their members are in ascending order.
//
// Complete link joins the two groups whose least similar members are the most similar. Here, pairs are taken in descending
// order of similarity. Two groups are joined when the last pair between them is taken, which is that of their least similar
// members. So it suffices to count the pairs between two groups.
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

// clusters are the current groups, each identified by one of its pictures.
type clusters struct {
	of      []int32         // the group of a picture
	members [][]int         // of a group; nil once it is joined to another
	taken   []map[int32]int // of a group: the number of taken pairs with each other group
}

// take counts a pair between two groups, and joins the groups if it was the last one.
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
	// b has fewer neighbours, so joining it to a is cheaper.
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

// add counts n pairs between two groups, for both of them.
func (c *clusters) add(a, b int32, n int) {
	for _, side := range [][2]int32{{a, b}, {b, a}} {
		if c.taken[side[0]] == nil {
			c.taken[side[0]] = map[int32]int{}
		}
		c.taken[side[0]][side[1]] += n
	}
}
