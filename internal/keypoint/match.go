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
	n, m := len(upload.Points), len(flag.Points)
	asked, even, odd := make([]C.uint64_t, 2*n), make([]C.uint64_t, m), make([]C.uint64_t, m)
	for i, p := range upload.Points {
		asked[2*i], asked[2*i+1] = C.uint64_t(p.Bits[0]), C.uint64_t(p.Bits[1])
	}
	for i, p := range flag.Points {
		even[i], odd[i] = C.uint64_t(p.Bits[0]), C.uint64_t(p.Bits[1])
	}
	keys, place, first, second := make([]C.int32_t, m), make([]C.int32_t, n), make([]C.int32_t, n), make([]C.int32_t, n)
	C.kp_nearest(&asked[0], C.int(n), &even[0], &odd[0], C.int(m), none, &keys[0], &place[0], &first[0], &second[0])
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
