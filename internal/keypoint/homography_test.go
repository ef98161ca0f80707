package keypoint

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiltedMap is what a picture has that was photographed from one side.
var tiltedMap = homography{a: 0.8, b: 0.1, c: 20, d: -0.05, e: 0.7, f: 30, g: 0.0012, h: -0.0005}

// mappedPairs are points of a flag and where a map brings them, to within a pixel.
func mappedPairs(n int, m homography, miss float64) []pair {
	r := rand.New(rand.NewPCG(3, 4))
	pairs := make([]pair, n)
	for i := range pairs {
		p := Point{X: r.Float32() * Side, Y: r.Float32() * Side * 3 / 4, Scale: 3, Angle: r.Float32()}
		u, v := m.apply(p.X, p.Y)
		local := m.at(p.X, p.Y)
		q := Point{
			X: float32(u + miss*(r.Float64()-0.5)), Y: float32(v + miss*(r.Float64()-0.5)),
			Scale: p.Scale * float32(local.zoom()), Angle: p.Angle + float32(local.turn()),
		}
		pairs[i] = pair{&p, &q}
	}
	return pairs
}

func TestAHomographyIsFound(t *testing.T) {
	got, ok := fitHomography(mappedPairs(40, tiltedMap, 0.5))
	require.True(t, ok)
	require.True(t, got.plausible(Side, Side*3/4))
	for _, p := range mappedPairs(100, tiltedMap, 0) {
		x, y := got.apply(p.flag.X, p.flag.Y)
		require.InDelta(t, p.upload.X, x, 1)
		require.InDelta(t, p.upload.Y, y, 1)
	}
}

func TestAHomographyIsTakenWhereNoAffineMapIsAsGood(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      homography
		tilted bool
	}{
		{"from one side", tiltedMap, true},
		{"turned and cut", homography{a: 0.8, b: 0.3, c: 20, d: -0.3, e: 0.8, f: 30}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			pairs := mappedPairs(80, c.m, 2)
			affine, ok := fitAffine(pairs)
			require.True(t, ok)
			best := agreeing(pairs, affine, tight)
			m, found, ok := tilted(pairs, best, affine, Side, Side*3/4)
			require.Equal(t, c.tilted, ok)
			if ok {
				require.Greater(t, len(found), len(best))
				require.Less(t, missed(found, m), 1.5)
			}
		})
	}
}

func TestTheInverseLeadsBack(t *testing.T) {
	back := tiltedMap.inverse()
	for _, p := range mappedPairs(50, tiltedMap, 0) {
		x, y := back.apply(p.upload.X, p.upload.Y)
		require.InDelta(t, p.flag.X, x, 1e-3)
		require.InDelta(t, p.flag.Y, y, 1e-3)
		require.InEpsilon(t, 1, back.at(p.upload.X, p.upload.Y).zoom()*tiltedMap.at(p.flag.X, p.flag.Y).zoom(), 1e-3)
	}
}

func TestAMirroredMapLeadsToTheUpload(t *testing.T) {
	m := tiltedMap.mirrored(200)
	u, v := tiltedMap.apply(50, 60)
	x, y := m.apply(50, 60)
	require.InDelta(t, 199-u, x, 1e-9)
	require.InDelta(t, v, y, 1e-9)
}
