package main

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// cache keeps features in a folder from run to run, a file for each lot of pictures: extraction takes most of the time.
type cache struct {
	dir string
	x   *extractor
	key string // of the model, the views, the decoder, the edits and the keypoints: of all that features depend on
}

// openCache probes what features depend on by the features of drawn pictures and their edits.
func openCache(ctx context.Context, dir string, x *extractor) (*cache, error) {
	sum := sha256.New()
	other := synth.Draw(1, 1, 320, 240)
	for i, edit := range transforms.Quality() {
		file, err := edit.Apply(synth.Draw(1, i, 320, 240), other, 1)
		if err != nil {
			return nil, err
		}
		sum.Write(file)
		for _, flagged := range []bool{true, false} {
			f, err := x.of(ctx, [][]byte{file}, x.views(flagged), flagged)
			if err != nil {
				return nil, err
			}
			if err := gob.NewEncoder(sum).Encode(f[0].stored(x.views(flagged))); err != nil {
				return nil, err
			}
		}
	}
	return &cache{dir: dir, x: x, key: hex.EncodeToString(sum.Sum(nil))[:16]}, nil
}

// source is a picture that features are wanted of: its name says all that its file depends on.
type source struct {
	name string
	file func() ([]byte, error)
}

// storedLook and storedFeatures are the form in the file.
type storedLook struct {
	View    imaging.View
	Vector  []float32
	Penalty float32
	Hash    pdq.Hash
	Quality int
}

type storedFeatures struct {
	Name  string
	Sum   [sha256.Size]byte
	Looks []storedLook
	Turns []pdq.Hash
	Small []byte
	// An upload has more points than the stored form of a flag's holds.
	Width, Height int
	Finest        float32
	Points        []keypoint.Point
	Frame         keypoint.Frame
	CoarseFinest  float32
	CoarsePoints  []keypoint.Point
	Plane         *imaging.Gray
}

func (f *features) stored(views []imaging.View) storedFeatures {
	coarse := f.coarse[keypoint.Plain]
	s := storedFeatures{
		Sum: f.sum, Turns: f.turns, Small: f.small, Width: f.points.Width, Height: f.points.Height, Finest: f.points.Finest, Points: f.points.Points,
		Frame: f.points.Frame, CoarseFinest: coarse.Finest, CoarsePoints: coarse.Points, Plane: f.plane,
	}
	for _, view := range views {
		if l, ok := f.looks[view]; ok {
			s.Looks = append(s.Looks, storedLook{view, l.vector, l.penalty, l.hash, l.quality})
		}
	}
	return s
}

func (s storedFeatures) features(flagged bool) features {
	f := features{sum: s.Sum, turns: s.Turns, small: s.Small, plane: s.Plane, looks: map[imaging.View]look{}}
	f.points = keypoint.Features{Width: s.Width, Height: s.Height, Finest: s.Finest, Points: s.Points, Frame: s.Frame}
	for _, l := range s.Looks {
		f.looks[l.View] = look{l.Vector, l.Penalty, l.Hash, l.Quality}
	}
	if !flagged {
		f.asked = keypoint.Prepare(f.points)
		f.coarse = keypoint.PrepareCoarse(keypoint.Features{Width: s.Width, Height: s.Height, Finest: s.CoarseFinest, Points: s.CoarsePoints})
	}
	return f
}

// features are those of the sources, as flags or as uploads: the ones of the lot's file where it has them, else made now. A
// source that is no picture has none.
func (c *cache) features(ctx context.Context, lot string, sources []source, flagged bool, done func(done, all int)) ([]features, error) {
	path := filepath.Join(c.dir, fmt.Sprintf("%s-%s.gob", lot, c.key))
	known, err := readLot(path)
	if err != nil {
		return nil, err
	}
	all, made := make([]features, len(sources)), make([]bool, len(sources))
	err = each(ctx, len(sources), done, func(ctx context.Context, i int) error {
		if s, ok := known[sources[i].name]; ok {
			all[i] = s.features(flagged)
			return nil
		}
		file, err := sources[i].file()
		if err != nil {
			return fmt.Errorf("%s: %w", sources[i].name, err)
		}
		f, err := c.x.of(ctx, [][]byte{file}, c.x.views(flagged), flagged)
		if errors.Is(err, imaging.ErrUndecodable) || errors.Is(err, imaging.ErrUnsupported) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sources[i].name, err)
		}
		all[i], made[i] = f[0], true
		return nil
	})
	if err != nil {
		return nil, err
	}
	fresh := false
	for i, f := range all {
		all[i].picture = sources[i].file
		if made[i] {
			s := f.stored(c.x.views(flagged))
			s.Name = sources[i].name
			known[s.Name], fresh = s, true
		}
	}
	if fresh {
		err = writeLot(path, known)
	}
	return all, err
}

func readLot(path string) (map[string]storedFeatures, error) {
	known := map[string]storedFeatures{}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = gob.NewDecoder(file).Decode(&known)
	if err != nil {
		err = fmt.Errorf("%s: %w: delete it, and it is made anew", path, err)
	}
	return known, err
}

func writeLot(path string, known map[string]storedFeatures) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "*.part")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	err = errors.Join(gob.NewEncoder(file).Encode(known), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
