package keypoint

import "sort"

// hullArea is the area of the convex hull of the flag's points, in its pixels (Andrew's monotone chain).
func hullArea(pairs []pair) float64 {
	points := make([][2]float64, len(pairs))
	for i, p := range pairs {
		points[i] = [2]float64{float64(p.flag.X), float64(p.flag.Y)}
	}
	sort.Slice(points, func(a, b int) bool {
		return points[a][0] < points[b][0] || points[a][0] == points[b][0] && points[a][1] < points[b][1]
	})
	cross := func(o, a, b [2]float64) float64 { return (a[0]-o[0])*(b[1]-o[1]) - (a[1]-o[1])*(b[0]-o[0]) }
	chain := func(from, to, step int) (hull [][2]float64) {
		for i := from; i != to; i += step {
			for len(hull) > 1 && cross(hull[len(hull)-2], hull[len(hull)-1], points[i]) <= 0 {
				hull = hull[:len(hull)-1]
			}
			hull = append(hull, points[i])
		}
		return hull
	}
	hull := append(chain(0, len(points), 1), chain(len(points)-1, -1, -1)...)
	area := 0.0
	for i, p := range hull {
		next := hull[(i+1)%len(hull)]
		area += (p[0]*next[1] - next[0]*p[1]) / 2
	}
	return area
}
