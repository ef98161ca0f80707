package imaging

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"moderator/internal/testenv"

	"github.com/stretchr/testify/require"
)

// What libjpeg gives by itself is, byte for byte, what libvips makes of the same file with the same codec.
func TestPlainJPEGIsAsByLibvips(t *testing.T) {
	require.NoError(t, Start())
	compared := 0
	walkJPEGs(t, func(path string, data []byte) {
		for _, shrink := range []int{1, 4, 8} {
			compared += compareJPEG(t, path, data, shrink)
		}
	})
	require.NotZero(t, compared)
}

// walkJPEGs visits all JPEG files of the test data.
func walkJPEGs(t *testing.T, visit func(path string, data []byte)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(testenv.Data(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if format, _ := Sniff(data); format == formatJPEG {
			visit(path, data)
		}
		return nil
	}))
}

// compareJPEG returns how many pictures it compared: 0 for one that neither way can be decoded, or that libjpeg is not asked for.
func compareJPEG(t *testing.T, name string, data []byte, shrink int) int {
	t.Helper()
	width, height, _ := outlineJPEG(data)
	if min(width, height) < shrink || width*height > 3e5 {
		return 0
	}
	in, err := open(formatJPEG, data, opening{shrink: shrink, scale: 1})
	if err != nil {
		return 0
	}
	defer in.close()
	if in.bands() > 3 {
		return 0
	}
	rgb, err := in.rgb(0, in.height(), false, 1)
	require.NoError(t, err)
	defer rgb.close()
	want, wantErr := rgb.pixels()
	got, gotErr := decodeJPEG(data, shrink, in.width(), in.height())
	if wantErr != nil {
		return 0 // fuzzers' files of which libjpeg, as viewers do, shows what there is may come here too
	}
	require.NoError(t, gotErr, "%s by %d", name, shrink)
	require.True(t, string(want.pix) == string(got.pix), "%s by %d", name, shrink)
	return 1
}
