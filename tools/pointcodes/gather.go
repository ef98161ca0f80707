package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// editedEach pictures one is edited, in editsOfOne ways.
const (
	editedEach = 8
	editsOfOne = 3
)

// picture reads a file, or draws it.
type picture func() ([]byte, error)

// pictures are those below the folder in an order that depends on their names alone, and drawn ones.
func pictures(folder string, drawings int) ([]picture, error) {
	var all []picture
	if folder != "" {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				all = append(all, func() ([]byte, error) { return os.ReadFile(path) })
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range drawings {
		all = append(all, func() ([]byte, error) { return transforms.Encode(synth.Draw(7, i, 640, 480), transforms.JPEG, 92) })
	}
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all, nil
}

// pair is the descriptions of a point in a picture and in an edit of it.
type pair [2]keypoint.Bits

// lessons is what is learned from.
type lessons struct {
	points []keypoint.Bits
	pairs  []pair
}

func gather(files []picture) (lessons, error) {
	parts := make([]lessons, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range files {
		group.Go(func() (err error) {
			if parts[i], err = lessonsOf(files, i); err != nil {
				err = fmt.Errorf("picture %d: %w", i, err)
			}
			return err
		})
	}
	err := group.Wait()
	var all lessons
	for _, p := range parts {
		all.points, all.pairs = append(all.points, p.points...), append(all.pairs, p.pairs...)
	}
	return all, err
}

func lessonsOf(files []picture, i int) (l lessons, err error) {
	file, err := files[i]()
	if err != nil {
		return l, err
	}
	flag, err := points(file, true)
	if err != nil {
		return l, err
	}
	for _, p := range flag.Points[:min(len(flag.Points), pointindex.FlagPoints)] {
		l.points = append(l.points, p.Bits)
	}
	if i%editedEach != 0 {
		return l, nil
	}
	r := rand.New(rand.NewPCG(2, uint64(i)))
	beside, err := files[(i+1+r.IntN(max(1, len(files)-1)))%len(files)]()
	if err != nil {
		return l, err
	}
	p, err := transforms.Decode(file)
	if err != nil {
		return l, err
	}
	other, err := transforms.Decode(beside)
	if err != nil {
		return l, err
	}
	for range editsOfOne {
		edit := transforms.Quality()[r.IntN(len(transforms.Quality()))]
		edited, err := edit.Apply(p, other, uint64(i))
		if err != nil {
			return l, fmt.Errorf("%s: %w", edit.Name, err)
		}
		upload, err := points(edited, false)
		if err != nil {
			return l, fmt.Errorf("%s: %w", edit.Name, err)
		}
		prepared := keypoint.Prepare(upload)
		if a := keypoint.Verify(flag, prepared); a.Score() >= keypoint.BlockAt/2 {
			l.pairs = append(l.pairs, pairsOf(flag, prepared[a.Variant])...)
		}
	}
	return l, nil
}

func points(file []byte, flagged bool) (keypoint.Features, error) {
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	if err != nil {
		return keypoint.Features{}, err
	}
	return recognise.Points(result.Frames[0].Views[0].Gray, result.Width, result.Height, flagged)
}
