package pdq_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

// drawing returns a luma plane of soft waves and discs with edges. The same seed
// gives the same drawing in any size.
func drawing(seed uint64, width, height int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	type disc struct{ x, y, radius, level float64 }
	discs := make([]disc, 40)
	for i := range discs {
		discs[i] = disc{r.Float64(), r.Float64(), 0.02 + 0.2*r.Float64(), 160*r.Float64() - 80}
	}
	plane := make([]byte, width*height)
	for y := range height {
		for x := range width {
			u, v := (float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)
			level := 128 + 30*math.Sin(9*u+4*v) + 20*math.Cos(13*v-5*u)
			for _, d := range discs {
				if math.Hypot(u-d.x, v-d.y) < d.radius {
					level += d.level
				}
			}
			plane[y*width+x] = byte(min(255, max(0, level)))
		}
	}
	return plane
}

// turned returns the plane in the turn, with its width and height.
func turned(turn pdq.Turn, width, height int, plane []byte) (int, int, []byte) {
	w, h := width, height
	switch turn {
	case pdq.Rotate90, pdq.Rotate270, pdq.FlipPlus1, pdq.FlipMinus1:
		w, h = height, width
	}
	out := make([]byte, len(plane))
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch turn {
			case pdq.Rotate90:
				sx, sy = width-1-y, x
			case pdq.Rotate180:
				sx, sy = width-1-x, height-1-y
			case pdq.Rotate270:
				sx, sy = y, height-1-x
			case pdq.FlipX:
				sy = height - 1 - y
			case pdq.FlipY:
				sx = width - 1 - x
			case pdq.FlipPlus1:
				sx, sy = y, x
			case pdq.FlipMinus1:
				sx, sy = width-1-y, height-1-x
			}
			out[y*w+x] = plane[sy*width+sx]
		}
	}
	return w, h, out
}

// A box of even length is not symmetric, so that mirroring before it differs
// from mirroring after it; transposition always commutes.
func TestTurnsAreThoseOfTheTurnedPlane(t *testing.T) {
	for _, c := range []struct{ width, height, atMost int }{
		{512, 512, 24},
		{400, 300, 24},
		{300, 257, 2},
		{64, 64, 2},
		{90, 50, 2},
	} {
		for seed := range uint64(5) {
			plane := drawing(seed, c.width, c.height)
			hashes, quality := pdq.Turns(c.width, c.height, plane)
			require.GreaterOrEqual(t, quality, pdq.MinQuality)
			for turn := pdq.Original; turn <= pdq.FlipMinus1; turn++ {
				atMost := c.atMost
				if turn == pdq.Original || turn == pdq.FlipPlus1 {
					atMost = 2
				}
				direct, _ := pdq.Compute(turned(turn, c.width, c.height, plane))
				require.LessOrEqual(t, direct.Distance(hashes[turn]), atMost,
					"%v of drawing %d at %dx%d", turn, seed, c.width, c.height)
			}
		}
	}
}

func TestPictureIsFoundInOtherSizesAndLevels(t *testing.T) {
	hash, _ := pdq.Compute(512, 512, drawing(1, 512, 512))
	for _, size := range [][2]int{{512, 384}, {300, 500}, {128, 128}, {80, 64}} {
		copied, _ := pdq.Compute(size[0], size[1], drawing(1, size[0], size[1]))
		require.LessOrEqual(t, hash.Distance(copied), pdq.MaxDistance, "%v pixels", size)
	}
	darker := drawing(1, 512, 512)
	for i, v := range darker {
		darker[i] = v/2 + 20
	}
	copied, _ := pdq.Compute(512, 512, darker)
	require.LessOrEqual(t, hash.Distance(copied), pdq.MaxDistance)
	other, _ := pdq.Compute(512, 512, drawing(2, 512, 512))
	require.Greater(t, hash.Distance(other), 2*pdq.MaxDistance)
}

// The names are the columns of the reference's output.
func TestTurnNames(t *testing.T) {
	var names []string
	for turn := pdq.Original; turn <= pdq.FlipMinus1; turn++ {
		names = append(names, turn.String())
	}
	require.Equal(t, "original rotate90 rotate180 rotate270 flipx flipy flipplus1 flipminus1", strings.Join(names, " "))
	require.Equal(t, "Turn(8)", pdq.Turn(8).String())
}

// Half of the coefficients are above the median whatever the picture.
func TestHalfOfTheBitsAreSet(t *testing.T) {
	hashes, _ := pdq.Turns(200, 100, drawing(3, 200, 100))
	for _, hash := range hashes {
		set := 0
		for _, b := range hash {
			set += bits.OnesCount8(b)
		}
		require.Equal(t, pdq.Bits/2, set)
	}
}

func TestQuality(t *testing.T) {
	flat := make([]byte, 100*100)
	_, quality := pdq.Compute(100, 100, flat)
	require.Zero(t, quality, "a flat picture")

	// One edge from black to white: 64 differences of 100 per cent, over 90.
	edge := make([]byte, 64*64)
	for i := range edge {
		if i%64 >= 32 {
			edge[i] = 255
		}
	}
	_, quality = pdq.Compute(64, 64, edge)
	require.Equal(t, 64*100/90, quality, "one edge")

	// Steps of two levels are below one per cent and do not count.
	ramp := make([]byte, 64*64)
	for i := range ramp {
		ramp[i] = byte(2 * (i % 64))
	}
	_, quality = pdq.Compute(64, 64, ramp)
	require.Zero(t, quality, "a soft ramp")
}

func TestTooSmall(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 1}, {4, 100}, {100, 4}, {0, 9}} {
		hashes, quality := pdq.Turns(size[0], size[1], drawing(1, size[0], size[1]))
		require.Zero(t, quality, "%v pixels", size)
		require.Zero(t, hashes, "%v pixels", size)
	}
	_, quality := pdq.Compute(5, 5, drawing(1, 5, 5))
	require.Positive(t, quality)
}

func TestPlaneOfAnotherSize(t *testing.T) {
	for _, c := range []struct{ width, height, bytes int }{{8, 8, 63}, {8, 8, 65}, {-8, -8, 64}} {
		require.Panics(t, func() { pdq.Compute(c.width, c.height, make([]byte, c.bytes)) }, fmt.Sprint(c))
	}
}

func FuzzTurns(f *testing.F) {
	f.Add(uint16(8), uint16(8), []byte{0, 255, 3})
	f.Add(uint16(512), uint16(512), []byte("luma"))
	f.Add(uint16(4), uint16(700), []byte{})
	f.Fuzz(func(t *testing.T, w, h uint16, content []byte) {
		width, height := int(w%700), int(h%700)
		plane := make([]byte, width*height)
		for i := range plane {
			if len(content) > 0 {
				plane[i] = content[i%len(content)] ^ byte(i/len(content))
			}
		}
		hashes, quality := pdq.Turns(width, height, plane)
		require.True(t, 0 <= quality && quality <= 100, "quality %d", quality)
		hash, alone := pdq.Compute(width, height, plane)
		require.Equal(t, hashes[pdq.Original], hash)
		require.Equal(t, quality, alone)
		read, err := pdq.Parse(hash.String())
		require.NoError(t, err)
		require.Equal(t, hash, read)
	})
}

func BenchmarkCompute(b *testing.B) {
	plane := drawing(1, 512, 512)
	for b.Loop() {
		pdq.Compute(512, 512, plane)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hashes/s")
}

func BenchmarkTurns(b *testing.B) {
	plane := drawing(1, 512, 512)
	for b.Loop() {
		pdq.Turns(512, 512, plane)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}
