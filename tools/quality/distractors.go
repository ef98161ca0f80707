package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// lot is pictures of one kind: flags that stand in the way of the right one, and uploads that resemble them and are not flagged.
type lot struct {
	kind               string
	files              bool // of a folder: some may be nearly the same
	flagged, innocents []source
}

// distractors are the lots of a folder, then of the stencils, then drawn pictures, until there are n flags.
//
// The folder holds train/KIND-NAME/, validation/KIND-NAME/ and test/KIND-NAME/, a source of pictures each, or KIND-NAME/ alone. Half
// of a source is flagged. Parts that are not wanted are left out. Another seed has other layouts of stencils and other drawings.
func (o options) distractors(n int) ([]lot, error) {
	lots, err := readLots(o.Distractors, o.Parts)
	if err != nil {
		return nil, err
	}
	perKind, other := o.PerKind, int(o.Seed-1)
	for _, s := range stencils() {
		l := lot{kind: s.kind}
		for i := range perKind {
			for _, place := range []struct {
				number int
				list   *[]source
			}{{i, &l.flagged}, {perKind + i, &l.innocents}} {
				layout, number := i%o.Layouts+1000*other, place.number
				*place.list = append(*place.list, source{fmt.Sprintf("filled %s %d %d", s.kind, layout, number), func() ([]byte, error) {
					return s.filled(layout, number)
				}})
			}
		}
		lots = append(lots, l)
	}
	rest := n
	for i := range lots {
		lots[i].flagged = lots[i].flagged[:max(0, min(len(lots[i].flagged), rest))]
		rest -= len(lots[i].flagged)
	}
	drawn := lot{kind: "drawn"}
	for i := range max(rest, 0) + 1 {
		s := drawnSource(2*o.Seed, i)
		if i < rest {
			drawn.flagged = append(drawn.flagged, s)
		}
	}
	for i := range perKind {
		drawn.innocents = append(drawn.innocents, drawnSource(2*o.Seed+1, i))
	}
	return append(lots, drawn), nil
}

func drawnSource(seed uint64, i int) source {
	return source{fmt.Sprintf("drawn %d %d 320x240", seed, i), func() ([]byte, error) {
		return transforms.Encode(synth.Draw(seed, i, 320, 240), transforms.JPEG, 90)
	}}
}

// readLots reads the names of a folder's pictures, a lot for each source.
func readLots(dir string, parts []string) ([]lot, error) {
	if dir == "" {
		return nil, nil
	}
	bySource := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			part := []string{"train", "validation", "test"}
			if filepath.Dir(path) == filepath.Clean(dir) && slices.Contains(part, entry.Name()) && !slices.Contains(parts, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(path); ext == ".jpg" || ext == ".jpeg" || ext == ".png" || ext == ".webp" {
			bySource[filepath.Dir(path)] = append(bySource[filepath.Dir(path)], path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("distractors in %s: %w", dir, err)
	}
	var lots []lot
	for _, folder := range sortedKeys(bySource) {
		kind, _, _ := strings.Cut(filepath.Base(folder), "-")
		l := lot{kind: kind, files: true}
		files := bySource[folder]
		slices.Sort(files)
		order := rand.New(rand.NewPCG(1, uint64(len(files)))).Perm(len(files))
		for k, i := range order {
			path := files[i]
			s := source{"file " + path, func() ([]byte, error) { return os.ReadFile(path) }}
			if k < len(files)/2 {
				l.flagged = append(l.flagged, s)
			} else {
				l.innocents = append(l.innocents, s)
			}
		}
		lots = append(lots, l)
	}
	if len(lots) == 0 {
		return nil, fmt.Errorf("distractors in %s: no pictures found, wanted folders KIND-NAME of .jpg, .png or .webp files", dir)
	}
	return lots, nil
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
