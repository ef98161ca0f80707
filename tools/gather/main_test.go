package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

func TestEachPackageIsInOnePart(t *testing.T) {
	parts := map[string]string{}
	for _, s := range sources {
		for _, expression := range []string{s.within, s.without} {
			if _, err := regexp.Compile(expression); err != nil {
				t.Errorf("%s: %v", s.pkg, err)
			}
		}
		if other, ok := parts[s.pkg]; ok {
			t.Errorf("%s is in %s and in %s, want one part", s.pkg, other, s.part)
		}
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
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := options{Most: 10, MinSide: 64}
	found, err := o.pictures(t.Context(), source{within: "^/a/", without: "_thumb"}, root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range found {
		names = append(names, filepath.Base(path))
	}
	if want := []string{"one.png", "two.png"}; !slices.Equal(names, want) {
		t.Errorf("pictures %v, want %v", names, want)
	}
}

func TestEvenly(t *testing.T) {
	if got, want := evenly([]string{"a", "b", "c", "d", "e", "f"}, 3), []string{"a", "c", "e"}; !slices.Equal(got, want) {
		t.Errorf("evenly chose %v, want %v", got, want)
	}
}

func drawn(t *testing.T, width, height int, grey uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	m.SetGray(width/2, height/2, color.Gray{Y: grey})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
