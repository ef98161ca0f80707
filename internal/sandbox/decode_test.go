package sandbox

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"moderator/internal/imaging"
	"moderator/internal/testenv"
	"moderator/tools/hostile/classics"
)

// pictures returns a file of each format that Go can write.
func pictures(t *testing.T) map[string][]byte {
	im := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for y := 20; y < 180; y++ { // with a border to trim
		for x := 20; x < 280; x++ {
			im.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y / 100), 255})
		}
	}
	var animation gif.GIF
	for i := range 20 {
		frame := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.Black, color.White})
		frame.SetColorIndex(i, i, 1)
		animation.Image, animation.Delay = append(animation.Image, frame), append(animation.Delay, 10)
	}
	var asPNG, asGIF, asTIFF, asBMP bytes.Buffer
	require.NoError(t, png.Encode(&asPNG, im))
	require.NoError(t, gif.EncodeAll(&asGIF, &animation))
	require.NoError(t, tiff.Encode(&asTIFF, im, nil))
	require.NoError(t, bmp.Encode(&asBMP, im))
	return map[string][]byte{
		"jpeg": photo(t, 640, 480), "png": asPNG.Bytes(), "gif": asGIF.Bytes(), "tiff": asTIFF.Bytes(), "bmp": asBMP.Bytes(),
	}
}

// A worker returns the same picture or error as imaging.Decode.
func TestSameAsInProcess(t *testing.T) {
	pool := open(t, options(t))
	files := pictures(t)
	files["empty"] = nil
	files["not a picture"] = []byte("%PDF-1.4 not a picture")
	files["cut off"] = files["png"][:len(files["png"])/2]
	files["too many pixels"] = bytes.Replace(files["bmp"], []byte{44, 1, 0, 0, 200, 0, 0, 0}, []byte{0, 0, 1, 0, 0, 0, 1, 0}, 1)
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			want, wantErr := imaging.Decode(file, request())
			have, err := pool.Decode(t.Context(), file)
			require.Equal(t, want, have)
			if wantErr == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, wantErr.Error())
			for _, kind := range faults {
				require.Equal(t, errors.Is(wantErr, kind), errors.Is(err, kind), kind)
			}
		})
	}
}

// So do real photographs, and formats that Go cannot write.
func TestSameAsInProcessOnPhotographs(t *testing.T) {
	pool := open(t, options(t))
	files, err := filepath.Glob(filepath.Join(testenv.Data(t), "photos", "libvips", "*.*"))
	require.NoError(t, err)
	for _, path := range files {
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		want, wantErr := imaging.Decode(file, request())
		have, err := pool.Decode(t.Context(), file)
		require.Equal(t, want, have, path)
		require.Equal(t, wantErr == nil, err == nil, path)
	}
}

func TestTooManyBytesReachNoWorker(t *testing.T) {
	o := options(t)
	o.Request.Limits.MaxBytes = 100
	_, err := open(t, o).Decode(t.Context(), make([]byte, 101))
	require.ErrorIs(t, err, imaging.ErrTooLarge)
}

// A small picture after a large one, and one that fills the memory to its last byte.
func TestMemoryIsReused(t *testing.T) {
	small, o := photo(t, 320, 200), options(t)
	large := append(photo(t, 640, 480), make([]byte, 2*keptFile)...) // bytes after a JPEG's end are ignored
	o.Request.Limits.MaxBytes = int64(len(large))
	pool := open(t, o)
	for _, file := range [][]byte{small, large, small, large, small} {
		want, err := imaging.Decode(file, o.Request)
		require.NoError(t, err)
		have, err := pool.Decode(t.Context(), file)
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
}

// A picture within the limit of pixels can exceed a worker's memory.
func TestMemoryLimit(t *testing.T) {
	o := options(t)
	o.MaxMemory = minMemory
	pool := open(t, o)
	_, err := pool.Decode(t.Context(), classics.InterlacedPNG(7000, 7000)) // 392 MB
	require.ErrorIs(t, err, imaging.ErrUndecodable)
	_, err = pool.Decode(t.Context(), classics.InterlacedPNG(1000, 1000))
	require.NoError(t, err)
}

// Large animations decode too, which libvips would unpack into a file by default.
func TestLargeAnimation(t *testing.T) {
	result, err := open(t, options(t)).Decode(t.Context(), classics.AnimatedWebP(1000, 1000, 40)) // 160 MB
	require.NoError(t, err)
	require.Equal(t, 40, result.FrameCount)
}

func TestConcurrentDecodes(t *testing.T) {
	o := options(t)
	o.Workers, o.Recycle = 3, 7
	pool := open(t, o)
	files := pictures(t)
	var all sync.WaitGroup
	for name, file := range files {
		want, err := imaging.Decode(file, o.Request)
		require.NoError(t, err)
		all.Go(func() {
			for range 12 {
				have, err := pool.Decode(context.Background(), file)
				if err != nil || !bytes.Equal(have.Frames[0].Views[0].Pixels[0], want.Frames[0].Views[0].Pixels[0]) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()
	require.Zero(t, deathsOf(t, o))
}

func TestRecycling(t *testing.T) {
	o := options(t)
	o.Recycle = 3
	pool, file := open(t, o), photo(t, 100, 100)
	seen := map[int]int{}
	for range 7 {
		before := children(t)
		_, err := pool.Decode(t.Context(), file)
		require.NoError(t, err)
		require.LessOrEqual(t, len(before), 1)
		for _, pid := range children(t) {
			seen[pid]++
		}
	}
	require.Len(t, seen, 3, "pictures after which each worker still ran: %v", seen)
	require.Zero(t, deathsOf(t, o), "a replaced worker does not count as dead")
}

// A worker that has grown is replaced, so that the next picture has all of the memory.
func TestGrownWorkerIsReplaced(t *testing.T) {
	o := options(t)
	o.Request.Targets[0] = imaging.Target{ResizeWidth: 4000, ResizeHeight: 2000}
	pool, before := open(t, o), children(t)
	_, err := pool.Decode(t.Context(), photo(t, 7000, 3600))
	require.NoError(t, err)
	require.NotEqual(t, before, children(t))
	require.Zero(t, deathsOf(t, o))
}

func TestBusyPoolHearsItsContext(t *testing.T) {
	pool := open(t, options(t))
	worker := <-pool.idle
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pool.Decode(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	pool.idle <- worker
}

func TestBadOptions(t *testing.T) {
	_, err := Start(Options{Request: imaging.Request{Targets: []imaging.Target{{}}}})
	for _, name := range []string{
		"no command", "limits", "target", "decode-workers", "decode-memory", "decode-cpu-time", "decode-timeout", "decode-recycle", "registry",
	} {
		require.ErrorContains(t, err, name)
	}
}

// The error of a command that is not a worker has its name and output.
func TestNoWorker(t *testing.T) {
	o := options(t)
	o.Workers = 3
	o.Command = []string{"/bin/sh", "-c", "echo not made for this >&2; exit 3"}
	_, err := Start(o)
	require.ErrorContains(t, err, "exit status 3: not made for this")
	require.Empty(t, children(t))
	o.Command = []string{"/no/such/binary"}
	_, err = Start(o)
	require.ErrorContains(t, err, "no such file")
}
