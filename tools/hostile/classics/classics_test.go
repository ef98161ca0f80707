package classics

import (
	"bytes"
	"compress/zlib"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
)

func TestZlibZeros(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 20, 1<<20 + 1, 5<<20 + 12345} {
		r, err := zlib.NewReader(bytes.NewReader(zlibZeros(n)))
		require.NoError(t, err)
		data, err := io.ReadAll(r) // checks the checksum
		require.NoError(t, err)
		require.Equal(t, make([]byte, n), data)
	}
}

// Files that should be valid are: a bomb that is refused for another fault would test nothing.
func TestValid(t *testing.T) {
	for _, f := range valid() {
		_, err := imaging.Decode(f.Data, imaging.Request{})
		require.NoError(t, err, f.Name)
	}
	small := map[string][]byte{
		"scans":      scansJPEG(8, 40),
		"interlaced": InterlacedPNG(64, 64), "gray": grayPNG(64, 64), "lossless": webpFile(lossless(64, 64)), "animated": AnimatedWebP(64, 64, 3),
		"overlapping": overlapping(64, 64), "deflated": deflated(64, 64, 0),
		"gif": join(gifHeader(64, 64), gifFrame(64, 64, lzwZeros(64*64)), []byte{gifTrailer}),
	}
	for name, file := range small {
		result, err := imaging.Decode(file, imaging.Request{Targets: []imaging.Target{{ResizeWidth: 8, ResizeHeight: 8}}})
		require.NoError(t, err, name)
		require.Equal(t, [2]int{64, 64}, [2]int{result.Width, result.Height}, name)
	}
}

func TestAll(t *testing.T) {
	names := map[string]bool{}
	for _, f := range All() {
		require.False(t, names[f.Name], f.Name)
		names[f.Name] = true
	}
	require.Greater(t, len(names), 400)
}
