package keypoint

import "math/bits"

const (
	leastLacking = 6    // points that an upload lacks, to compare two flags by
	lackedByBoth = 0.25 // share of them that the other flag has too: both are of one picture
)

// Contrast says of each agreement with one upload how much of it others have as well: a frame, a layout or a face that several flags have
// does not tell which of them the upload shows. flags are those of the agreements. Flags that have in common what the upload lacks are
// copies of one picture and do not count, nor do those of which that is not known.
func Contrast(found []*Agreement, flags []Features) {
	for i, a := range found {
		if a.Support.Agreeing == 0 {
			continue
		}
		var others pointSet
		for k, b := range found {
			if k != i && b.Points >= LeastPoints && a.Support.seen.common(b.Support.seen) > 0 && unlike(a, b, flags[i], flags[k]) {
				others.addAll(b.Support.seen)
			}
		}
		a.Support.Shared = float64(a.Support.seen.common(others)) / float64(a.Support.seen.common(a.Support.seen))
	}
}

// unlike tells whether what the upload lacks of one flag is not in the other one either, where both maps have it.
func unlike(a, b *Agreement, flag, other Features) bool {
	if a.Variant != b.Variant {
		return false
	}
	lacking := Features{Width: flag.Width, Height: flag.Height, Finest: flag.Finest}
	for i, p := range flag.Points {
		if a.Support.lacking.has(i) {
			lacking.Points = append(lacking.Points, p)
		}
	}
	s := support(lacking, other, b.m.inverse().after(a.m))
	return s.Expected >= leastLacking && float64(s.Agreeing) < lackedByBoth*float64(s.Expected)
}

// pointSet is a set of points of a picture, by their numbers.
type pointSet [(UploadPoints + 63) / 64]uint64

func (s *pointSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *pointSet) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

func (s *pointSet) addAll(o pointSet) {
	for i, v := range o {
		s[i] |= v
	}
}

// common is how many points are in both.
func (s *pointSet) common(o pointSet) (n int) {
	for i, v := range o {
		n += bits.OnesCount64(s[i] & v)
	}
	return n
}
