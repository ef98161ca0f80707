package keypoint

// #include "match.h"
import "C"

// Two points are taken for one where their bits differ in few, and in clearly fewer than the next best's do.
const (
	maxBits  = 38
	maxRatio = 0.82
)

// pair is a point of the flag and one of the upload.
type pair struct{ flag, upload *Point }

// match pairs the points by their bits, each with at most one.
func match(flag, upload Features) []pair {
	if len(flag.Points) == 0 || len(upload.Points) == 0 {
		return nil
	}
	const none = 129
	n := len(upload.Points)
	asked, among := allBits(upload.Points), allBits(flag.Points)
	place, first, second := make([]C.int32_t, n), make([]C.int32_t, n), make([]C.int32_t, n)
	C.kp_nearest((*C.uint64_t)(&asked[0]), C.size_t(n), (*C.uint64_t)(&among[0]), C.size_t(len(flag.Points)), none, &place[0], &first[0], &second[0])
	taken := make([]struct{ upload, distance int }, len(flag.Points))
	for i := range taken {
		taken[i].distance = none
	}
	for j := range n {
		at, distance := place[j], int(first[j])
		if distance <= maxBits && float64(distance) < maxRatio*float64(second[j]) && distance < taken[at].distance {
			taken[at].upload, taken[at].distance = j, distance
		}
	}
	var pairs []pair
	for i, t := range taken {
		if t.distance < none {
			pairs = append(pairs, pair{&flag.Points[i], &upload.Points[t.upload]})
		}
	}
	return pairs
}

// allBits are the bits of points, one after the other.
func allBits(points []Point) []uint64 {
	all := make([]uint64, 0, 2*len(points))
	for i := range points {
		all = append(all, points[i].Bits[0], points[i].Bits[1])
	}
	return all
}
