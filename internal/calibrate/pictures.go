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

// compared is one upload or flag.
type compared struct {
	picture int // number of the source
	edit    int // index in transforms.Quality(); asItIs: not edited
	views   []dedupe.View
}

const asItIs = -1

// extract returns the features of a file's views. Those of a flag include the view penalties.
func extract(ctx context.Context, x *recognise.Extractor, data []byte, wanted []imaging.View, flag bool) ([]dedupe.View, error) {
	p, err := x.Extract(ctx, data, wanted)
	if err != nil {
		return nil, err
	}
	views := make([]dedupe.View, len(p.Vectors))
	for i, v := range p.Vectors {
		views[i] = dedupe.View{Vector: v.Vector, Penalty: v.Penalty, Hash: v.PDQ, Quality: v.Quality}
		if flag {
			views[i].Penalty += recognise.ViewPenalty(v.View)
		}
	}
	return views, nil
}

// flags returns the pictures as flags. A file that cannot be decoded has no views.
func flags(ctx context.Context, x *recognise.Extractor, sources []Source, done func()) ([]compared, error) {
	all := make([]compared, len(sources))
	err := each(ctx, len(sources), done, func(ctx context.Context, i int) error {
		views, err := extract(ctx, x, sources[i].Data, recognise.FlagViews(), true)
		if err == nil {
			all[i] = compared{picture: i, edit: asItIs, views: views}
		}
		return ctx.Err() // leave out a file that cannot be decoded
	})
	return all, err
}

// uploads returns the kept pictures as uploads, and edits of a sample of them. The seed determines the sample and the edits.
func uploads(ctx context.Context, x *recognise.Extractor, canvases *Canvases, sources []Source, kept []int, edited int, seed uint64, done func()) ([]compared, error) {
	all := make([]compared, len(kept))
	sample := map[int]bool{}
	order := rand.New(rand.NewPCG(seed, 1)).Perm(len(kept))
	for _, k := range order[:min(edited, len(kept))] {
		sample[k] = true
	}
	list := transforms.Quality()
	made := make([][]compared, len(kept))
	err := each(ctx, len(kept), done, func(ctx context.Context, k int) error {
		i := kept[k]
		views, err := extract(ctx, x, sources[i].Data, recognise.QueryViews(), false)
		if err != nil {
			return fmt.Errorf("%s: %w", sources[i].Name, err)
		}
		all[k] = compared{picture: i, edit: asItIs, views: views}
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
			if edit.NeedsOther() { // it shows a second flagged picture
				continue
			}
			file, err := edit.Apply(small, other, seed<<32+uint64(i))
			if err != nil {
				return fmt.Errorf("%s of %s: %w", edit.Name, sources[i].Name, err)
			}
			views, err := extract(ctx, x, file, recognise.QueryViews(), false)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", edit.Name, sources[i].Name, err)
			}
			made[k] = append(made[k], compared{picture: i, edit: e, views: views})
		}
		return nil
	})
	for _, some := range made {
		all = append(all, some...)
	}
	return all, err
}

// each runs f for 0 to n-1 on all cores, and calls done after each.
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
