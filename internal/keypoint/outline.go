package keypoint

// Outline returns the part of the flag that the upload shows, as a polygon in each picture's frame. Corners are shares of the
// picture's sides, from its left top. Both are nil if too few points agree.
func (a Agreement) Outline(flag, upload Features) (inFlag, inUpload [][2]float64) {
	if a.Points < LeastPoints {
		return nil, nil
	}
	fw, fh := float64(flag.Width), float64(flag.Height)
	uw, uh := float64(upload.Width), float64(upload.Height)
	polygon := make([][2]float64, 0, 4)
	for _, corner := range [][2]float64{{0, 0}, {fw, 0}, {fw, fh}, {0, fh}} {
		x, y := a.m.apply(float32(corner[0]), float32(corner[1]))
		polygon = append(polygon, [2]float64{x / uw, y / uh})
	}
	for axis := range 2 {
		polygon = clip(polygon, axis, func(v float64) float64 { return v })
		polygon = clip(polygon, axis, func(v float64) float64 { return 1 - v })
	}
	back := a.m.inverse()
	for _, p := range polygon {
		x, y := back.apply(float32(p[0]*uw), float32(p[1]*uh))
		inFlag = append(inFlag, [2]float64{x / fw, y / fh})
		if a.Variant == Mirrored { // the map leads to the mirrored upload
			p[0] = 1 - p[0]
		}
		inUpload = append(inUpload, p)
	}
	return inFlag, inUpload
}

// clip cuts off what lies outside of one side of the unit square (Sutherland and Hodgman): where inside of a coordinate is negative.
func clip(polygon [][2]float64, axis int, inside func(float64) float64) (kept [][2]float64) {
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		from, to := inside(p[axis]), inside(q[axis])
		if from >= 0 {
			kept = append(kept, p)
		}
		if (from < 0) != (to < 0) {
			t := from / (from - to)
			kept = append(kept, [2]float64{p[0] + t*(q[0]-p[0]), p[1] + t*(q[1]-p[1])})
		}
	}
	return kept
}
