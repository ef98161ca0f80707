package calibrate

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/imaging"
	"moderator/internal/sandbox/sandboxtest"
	"moderator/internal/synth"
	"moderator/tools/hostile/classics"
)

func TestMain(m *testing.M) {
	sandboxtest.WorkIfStarted()
	os.Exit(m.Run())
}

func openCanvases(t *testing.T) *Canvases {
	t.Helper()
	c, err := NewCanvases(imaging.DefaultLimits(), config.Sandbox{
		DecodeWorkers: 1, DecodeMemory: 8 << 30, // the race detector takes several times as much
		DecodeCPUTime: time.Minute, DecodeTimeout: time.Minute, DecodeRecycle: 100,
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// peakMemory is the peak resident memory of this process, in bytes.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	kilobytes, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	require.NoError(t, err)
	return kilobytes << 10
}

// Decoding this picture takes 392 MB, of the worker and not of this process.
func TestCanvasesAreDecodedInWorkers(t *testing.T) {
	c := openCanvases(t)
	file := classics.InterlacedPNG(7000, 7000)
	before := peakMemory(t)
	canvas, err := c.of(t.Context(), Source{Name: "large.png", Data: file})
	require.NoError(t, err)
	require.Equal(t, image.Pt(canvasSide, canvasSide), canvas.Rect.Size())
	require.Less(t, peakMemory(t)-before, int64(250<<20))
	_, err = c.of(t.Context(), Source{Name: "a.png", Data: file[:len(file)/2]})
	require.ErrorIs(t, err, imaging.ErrUndecodable)
	require.ErrorContains(t, err, "a.png: ")
}

// A canvas is the picture, reduced to canvasSide at most.
func TestCanvasIsThePicture(t *testing.T) {
	c := openCanvases(t)
	for size, want := range map[image.Point]image.Point{{400, 300}: {400, 300}, {1500, 500}: {1024, 341}} {
		p := synth.Draw(1, 0, size.X, size.Y)
		var file bytes.Buffer
		require.NoError(t, png.Encode(&file, p))
		canvas, err := c.of(t.Context(), Source{Data: file.Bytes()})
		require.NoError(t, err)
		require.Equal(t, want, canvas.Rect.Size())
		reference := scaled(p, size.X, size.Y, canvasSide)
		var sum float64
		for y := range want.Y {
			for x := range want.X {
				a, b := canvas.At(x, y).(color.RGBA), reference.At(x, y).(color.RGBA)
				require.Equal(t, uint8(255), a.A)
				d := float64(a.G) - float64(b.G)
				sum += d * d
			}
		}
		require.Less(t, sum/float64(want.X*want.Y), 100.0, "mean square of the difference, %v", size)
	}
}
