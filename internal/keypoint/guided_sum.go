package keypoint

import (
	"math"
	"slices"
)

// summed is what the points come to.
func summed(all []looked) Guided {
	g := Guided{Looked: len(all), Apart: 1}
	if len(all) == 0 {
		return g
	}
	n := float64(len(all))
	same, similar := 0, 0
	bits, first := make([]int, len(all)), make([]int, len(all))
	for i, l := range all {
		bits[i], first[i] = l.bits, l.first
		g.Mean += float64(l.bits) / n
		g.Before += float64(l.first) / n
		if l.bits <= sameBits {
			same++
		}
		if l.bits <= similarBits {
			similar++
		}
	}
	g.Same, g.Similar = float64(same)/n, float64(similar)/n
	slices.Sort(bits)
	slices.Sort(first)
	g.Bits = [4]float64{quantile(bits, 0.25), quantile(bits, 0.5), quantile(bits, 0.75), quantile(bits, 0.9)}
	g.First = quantile(first, 0.5)
	if len(all) >= leastPlaced {
		g.place(all)
	}
	return g
}

// quantile interpolates in a sorted list.
func quantile[N int | float64](sorted []N, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return float64(sorted[i])
	}
	return float64(sorted[i]) + (at-float64(i))*float64(sorted[i+1]-sorted[i])
}

// place says where the points differ: together, or all over the flag.
func (g *Guided) place(all []looked) {
	const side = 4
	var points, similar [side * side]int
	different, apart := 0, 0.0
	for i, l := range all {
		var near [neighbours]int // bits
		unlike := 0
		for k, o := range nearest(all, i) {
			near[k] = all[o].bits
			if all[o].bits > similarBits {
				unlike++
			}
		}
		slices.Sort(near[:])
		g.Uneven += math.Abs(float64(l.bits)-float64(near[1]+near[2])/2) / float64(len(all))
		cell := min(int(l.y*side), side-1)*side + min(int(l.x*side), side-1)
		points[cell]++
		if l.bits > similarBits {
			different++
			apart += float64(unlike) / neighbours
		} else {
			similar[cell]++
		}
	}
	if different > 0 {
		g.Apart = apart / float64(different)
	}
	const most = 0.6
	occupied := 0
	for i, n := range points {
		if n == 0 {
			continue
		}
		occupied++
		if float64(similar[i]) >= most*float64(n) {
			g.Cells++
		}
	}
	g.CellShare = float64(g.Cells) / float64(occupied)
}

// nearest are the points that lie nearest to one, the nearest first.
func nearest(all []looked, i int) (places [neighbours]int) {
	distances := [neighbours]float64{}
	n := 0
	for k := range all {
		if k == i {
			continue
		}
		dx, dy := all[k].x-all[i].x, all[k].y-all[i].y
		d := dx*dx + dy*dy
		at := n
		for at > 0 && distances[at-1] > d {
			at--
		}
		if at == neighbours {
			continue
		}
		n = min(n+1, neighbours)
		copy(distances[at+1:n], distances[at:n-1])
		copy(places[at+1:n], places[at:n-1])
		distances[at], places[at] = d, k
	}
	return places
}
