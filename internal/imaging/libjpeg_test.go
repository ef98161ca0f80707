package imaging

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"moderator/internal/testenv"

	"github.com/stretchr/testify/require"
)

// libjpeg alone gives the same bytes as libvips.
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

// compareJPEG returns how many pictures it compared: 0 if neither way decodes the file, or if libjpeg is not used for it.
func compareJPEG(t *testing.T, name string, data []byte, shrink int) int {
	t.Helper()
	outline := outlineJPEG(data)
	if min(outline.width, outline.height) < shrink || outline.width*outline.height > 3e5 {
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
	rgb, err := in.rgb(0, in.height(), look{}, 1)
	require.NoError(t, err)
	defer rgb.close()
	want, wantErr := rgb.pixels()
	got, gotErr := decodeJPEG(data, shrink, 0, in.width(), in.height())
	if wantErr != nil {
		return 0 // or a fuzzer's file of which libjpeg, like viewers, shows a part
	}
	require.NoError(t, gotErr, "%s by %d", name, shrink)
	require.True(t, string(want.pix) == string(got.pixels.pix), "%s by %d", name, shrink)
	return 1
}

// Without metadata, libvips need not read the header first.
func TestBareJPEGNeedsNoHeaderOfLibvips(t *testing.T) {
	require.NoError(t, Start())
	request := Request{Targets: []Target{{ResizeWidth: 96, ResizeHeight: 96}}, Gray: true}
	require.NoError(t, request.complete())
	compared := 0
	walkJPEGs(t, func(path string, data []byte) {
		outline := outlineJPEG(data)
		if !outline.bare() || outline.width*outline.height > 3e6 {
			return
		}
		decode := func(bare bool) (all []Rendered, err error) {
			s, err := openSource(data, request.Limits, request.need())
			if err != nil {
				return nil, err
			}
			defer s.close()
			if !bare {
				s.plain = false
				if err := s.readHeader(request.Limits, request.need()); err != nil {
					return nil, err
				}
			}
			err = s.canvases([]int{0}, request.need(), request.edge(), func(_ int, c *canvas) error {
				all, err = request.render(s, c)
				return err
			})
			return all, err
		}
		want, wantErr := decode(false)
		got, err := decode(true)
		require.Equal(t, wantErr == nil, err == nil, "%s: %v, by libvips %v", path, err, wantErr)
		require.Equal(t, want, got, path)
		if err == nil {
			compared++
		}
	})
	t.Logf("%d compared", compared)
	require.NotZero(t, compared)
}
