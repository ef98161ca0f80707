package calibrate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"

	"moderator/internal/dedupe"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/transforms"
)

// Source is one picture file.
type Source struct {
	Name string
	Data []byte
}

// shown is one upload or flag: its looks, and what it is of.
type shown struct {
	picture int // number of its source
	edit    int // in transforms.Quality(); asItIs for the picture itself
	looks   []dedupe.Look
}

const asItIs = -1

// extract makes the looks of a file.
func extract(ctx context.Context, x *recognise.Extractor, data []byte, wanted []imaging.View, flag bool) ([]dedupe.Look, error) {
	p, err := x.Extract(ctx, data, wanted)
	if err != nil {
		return nil, err
	}
	looks := make([]dedupe.Look, len(p.Vectors))
	for i, v := range p.Vectors {
		looks[i] = dedupe.Look{Vector: v.Vector, Penalty: v.Penalty, Hash: v.PDQ, Quality: v.Quality}
		if flag {
			looks[i].Penalty += recognise.ViewPenalty(v.View)
		}
	}
	return looks, nil
}

// flags makes the looks of the pictures as they are stored. A file that is no picture has none.
func flags(ctx context.Context, x *recognise.Extractor, sources []Source, done func()) ([]shown, error) {
	all := make([]shown, len(sources))
	err := each(ctx, len(sources), done, func(ctx context.Context, i int) error {
		looks, err := extract(ctx, x, sources[i].Data, recognise.FlagViews(), true)
		if err == nil {
			all[i] = shown{picture: i, edit: asItIs, looks: looks}
		}
		return ctx.Err() // a file that is no picture is left out
	})
	return all, err
}

// uploads makes the looks of the kept pictures as they are, and of the edits of so many of them. The sample and the edits
// follow from the seed.
func uploads(ctx context.Context, x *recognise.Extractor, canvases *Canvases, sources []Source, kept []int, edited int, seed uint64, done func()) ([]shown, error) {
	all := make([]shown, len(kept))
	sample := map[int]bool{}
	order := rand.New(rand.NewPCG(seed, 1)).Perm(len(kept))
	for _, k := range order[:min(edited, len(kept))] {
		sample[k] = true
	}
	list := transforms.Quality()
	made := make([][]shown, len(kept))
	err := each(ctx, len(kept), done, func(ctx context.Context, k int) error {
		i := kept[k]
		looks, err := extract(ctx, x, sources[i].Data, recognise.QueryViews(), false)
		if err != nil {
			return fmt.Errorf("%s: %w", sources[i].Name, err)
		}
		all[k] = shown{picture: i, edit: asItIs, looks: looks}
		if !sample[k] {
			return nil
		}
		small, err := canvases.of(ctx, sources[i])
		if err != nil {
			return err
		}
		other, err := canvases.of(ctx, sources[kept[(k+1)%len(kept)]])
		if err != nil {
			return err
		}
		for e, edit := range list {
			if edit.NeedsOther() { // it shows another flag too
				continue
			}
			file, err := edit.Apply(small, other, seed<<32+uint64(i))
			if err != nil {
				return fmt.Errorf("%s of %s: %w", edit.Name, sources[i].Name, err)
			}
			looks, err := extract(ctx, x, file, recognise.QueryViews(), false)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", edit.Name, sources[i].Name, err)
			}
			made[k] = append(made[k], shown{picture: i, edit: e, looks: looks})
		}
		return nil
	})
	for _, some := range made {
		all = append(all, some...)
	}
	return all, err
}

// each runs a function for 0 to n-1 on all cores, and says when each is done.
func each(ctx context.Context, n int, done func(), f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := f(ctx, i)
			done()
			return err
		})
	}
	return group.Wait()
}
