package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachPackageIsInOnePart(t *testing.T) {
	parts := map[string]string{} // by package
	for _, s := range sources {
		for _, expression := range []string{s.within, s.without} {
			_, err := regexp.Compile(expression)
			require.NoError(t, err, s.pkg)
		}
		require.NotContains(t, parts, s.pkg)
		parts[s.pkg] = s.part
	}
}

func TestPictures(t *testing.T) {
	root := t.TempDir()
	for _, file := range []struct {
		name string
		data []byte
	}{
		{"a/one.png", drawn(t, 100, 80, 1)},
		{"a/same.png", drawn(t, 100, 80, 1)},
		{"a/small.png", drawn(t, 100, 40, 2)},
		{"a/huge.png", drawn(t, 8000, 2501, 6)},
		{"a/broken.png", []byte("no picture")},
		{"a/read.me", drawn(t, 100, 80, 3)},
		{"a/one_thumb.png", drawn(t, 100, 80, 7)},
		{"a/two.png", drawn(t, 64, 64, 4)},
		{"b/outside.png", drawn(t, 100, 80, 5)},
	} {
		path := filepath.Join(root, file.name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, file.data, 0o644))
	}
	o := options{Most: 10, MinSide: 64}
	found, err := o.pictures(t.Context(), source{within: "^/a/", without: "_thumb"}, root)
	require.NoError(t, err)
	var names []string
	for _, path := range found {
		names = append(names, filepath.Base(path))
	}
	require.Equal(t, []string{"one.png", "two.png"}, names)
}

func TestEvenly(t *testing.T) {
	require.Equal(t, []string{"a", "c", "e"}, evenly([]string{"a", "b", "c", "d", "e", "f"}, 3))
}

func drawn(t *testing.T, width, height int, grey uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	m.SetGray(width/2, height/2, color.Gray{Y: grey})
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}
