package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	_ "golang.org/x/image/webp"
)

// maxPixels is far below what the moderator takes, and keeps measures short.
const maxPixels = 20_000_000

// pictures are files of s below root, in order of their names, evenly chosen if there are too many. Files of the same bytes
// count once. PDF files become their pages.
func (o options) pictures(ctx context.Context, s source, root string) ([]string, error) {
	within, err := regexp.Compile(s.within)
	if err != nil {
		return nil, err
	}
	without, err := regexp.Compile(s.without)
	if err != nil {
		return nil, err
	}
	var found []string
	seen := map[[sha256.Size]byte]bool{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !within.MatchString(path[len(root):]) || s.without != "" && without.MatchString(path[len(root):]) {
			return err
		}
		files := []string{path}
		if filepath.Ext(path) == ".pdf" {
			files = o.pages(ctx, path)
		}
		for _, file := range files {
			sum, wanted, err := o.look(file)
			if err != nil {
				return err
			}
			if wanted && !seen[sum] {
				seen[sum] = true
				found = append(found, file)
			}
		}
		return nil
	})
	slices.Sort(found)
	return evenly(found, o.Most), err
}

// look returns a file's hash, and whether it is a picture of the wanted size.
func (o options) look(path string) ([sha256.Size]byte, bool, error) {
	switch filepath.Ext(path) {
	case ".jpg", ".jpeg", ".png", ".webp":
	default:
		return [sha256.Size]byte{}, false, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return [sha256.Size]byte{}, false, err
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	// Packages hold a few files that are not what their names say: they are no pictures.
	wanted := err == nil && config.Width >= o.MinSide && config.Height >= o.MinSide && config.Width*config.Height <= maxPixels
	return sha256.Sum256(data), wanted, nil
}

// pages draws the first pages of a PDF file at 72 pixels an inch, beside it. A file that cannot be drawn has none.
func (o options) pages(ctx context.Context, path string) []string {
	prefix := strings.TrimSuffix(path, ".pdf") + "-page"
	if err := runIn(ctx, "", "pdftoppm", "-png", "-r", "72", "-l", fmt.Sprint(o.MaxPages), path, prefix); err != nil {
		return nil
	}
	drawn, _ := filepath.Glob(regexp.MustCompile(`[*?[\\]`).ReplaceAllString(prefix, `\$0`) + "-*.png") // the pattern is well-formed
	return drawn
}

// evenly chooses at most n of the names, at equal distances.
func evenly(names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = names[i*len(names)/n]
	}
	return chosen
}
