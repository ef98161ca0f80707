package keypoint

import "math"

// Region is where an upload differs from the flag that it shows: what is laid over it, in one place. All are shares.
type Region struct {
	X, Y, Width, Height float64 // in the upload's frame, from its left and upper edge
	Share               float64 // of the looked-at keypoints of the flag
}

const (
	leastDiffering = 4   // keypoints of a region
	joined         = 0.2 // of the flag's frame, by which neighbours of a region may lie apart
	mostOfRegion   = 0.6 // share of a copy's keypoints that may lie in one
)

// differs is the largest place where keypoints differ that hardly any others lie in; zero where there is none, or where the pictures
// differ all over.
func differs(all []looked, upload *Plane) Region {
	region, members := make([]int, len(all)), []int{0} // region 0 is none
	for i := range all {
		if all[i].bits <= similarBits || region[i] > 0 {
			continue
		}
		number := len(members)
		members = append(members, 0)
		region[i] = number
		for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
			members[number]++
			for k := range all {
				near := math.Hypot(all[k].x-all[queue[0]].x, all[k].y-all[queue[0]].y) <= joined
				if near && all[k].bits > similarBits && region[k] == 0 {
					region[k] = number
					queue = append(queue, k)
				}
			}
		}
	}
	largest := 0
	for number, n := range members {
		if n > members[largest] {
			largest = number
		}
	}
	if n := members[largest]; n < leastDiffering || float64(n) > mostOfRegion*float64(len(all)) {
		return Region{}
	}
	left, top, right, bottom := math.Inf(1), math.Inf(1), 0.0, 0.0
	for i, l := range all {
		if region[i] == largest {
			left, top, right, bottom = min(left, l.u), min(top, l.v), max(right, l.u), max(bottom, l.v)
		}
	}
	within := 0
	for _, l := range all {
		if l.u >= left && l.u <= right && l.v >= top && l.v <= bottom {
			within++
		}
	}
	if 2*members[largest] < within {
		return Region{}
	}
	w, h := float64(upload.width), float64(upload.height)
	return Region{X: left / w, Y: top / h, Width: (right - left) / w, Height: (bottom - top) / h, Share: float64(members[largest]) / float64(len(all))}
}
