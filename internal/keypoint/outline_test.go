package keypoint_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/keypoint"
)

// The part that an upload shows is outlined where it is, in both pictures.
func TestOutline(t *testing.T) {
	p, flag := drawing(t, 3)
	const off = 0.03 // of a side
	within := func(polygon [][2]float64, left, top, right, bottom float64) {
		t.Helper()
		require.GreaterOrEqual(t, len(polygon), 4)
		l, u, r, b := 1.0, 1.0, 0.0, 0.0
		for _, c := range polygon {
			l, u, r, b = min(l, c[0]), min(u, c[1]), max(r, c[0]), max(b, c[1])
		}
		for i, v := range []float64{l - left, u - top, r - right, b - bottom} {
			require.InDelta(t, 0, v, off, "side %d of %v", i, polygon)
		}
	}
	outline := func(upload keypoint.Features) (inFlag, inUpload [][2]float64) {
		return keypoint.Verify(flag, keypoint.Prepare(upload)).Outline(flag, upload)
	}
	inFlag, inUpload := outline(edited(t, "crop-75-corner", p, nil))
	within(inUpload, 0, 0, 1, 1)
	area := 0.0
	for i, c := range inFlag {
		next := inFlag[(i+1)%len(inFlag)]
		area += (c[0]*next[1] - next[0]*c[1]) / 2
	}
	require.InDelta(t, 0.75*0.75, area, 0.05, "three quarters of each side: %v", inFlag)

	inFlag, inUpload = outline(edited(t, "mirror", p, nil))
	within(inFlag, 0, 0, 1, 1)
	within(inUpload, 0, 0, 1, 1)
	for i, corner := range inFlag {
		require.InDelta(t, 1-corner[0], inUpload[i][0], off, "left is right")
	}

	another, other := drawing(t, 12)
	inFlag, inUpload = outline(edited(t, "side-by-side", p, another))
	within(inFlag, 0, 0, 1, 1)
	width := func(polygon [][2]float64) float64 {
		left := slices.MinFunc(polygon, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		right := slices.MaxFunc(polygon, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		return right[0] - left[0]
	}
	require.InDelta(t, 0.5, width(inUpload), off, "half of the upload: %v", inUpload)
	none, _ := keypoint.Verify(flag, keypoint.Prepare(other)).Outline(flag, other)
	require.Nil(t, none)
}
