package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

// look is what one view of a picture is compared by.
type look struct {
	vector  []float32 // L2-normalised
	penalty float32   // its share of the normalised score
	hash    pdq.Hash
	quality int
}

// features are what one file is compared by; a view that does not apply has none.
type features struct {
	sum   [sha256.Size]byte
	looks map[imaging.View]look
	turns []pdq.Hash // of the original view, all eight; only of flags

	picture func() ([]byte, error) // reads the file; only where a library is large
	name    string                 // of the file or the picture that is drawn
	file    bool                   // of a folder of distractors, which may hold nearly the same picture twice
	small   []byte                 // the grey picture in smallSide x smallSide pixels, row by row
	points  keypoint.Features
	coarse  keypoint.Upload // of the coarse pass; of uploads only
	asked   keypoint.Upload // of uploads only
	plane   *imaging.Gray   // that keypoint.Guide looks at; of uploads only
}

// answered is a query with its features.
type answered struct {
	query
	features
	set string
}

// extractor makes features of files.
type extractor struct {
	model                 *embed.Model
	flagViews, queryViews []imaging.View
}

// views are those that a flag is stored with, or an upload is compared with.
func (x *extractor) views(flagged bool) []imaging.View {
	if flagged {
		return x.flagViews
	}
	return x.queryViews
}

// reviewAt is the model's threshold on the score, from which it matches.
func (x *extractor) reviewAt() float64 {
	_, review, _ := x.model.Folder().Thresholds()
	return review
}

// of decodes and embeds the given views of files, as those of flags or of uploads, in one batch.
func (x *extractor) of(ctx context.Context, files [][]byte, wanted []imaging.View, flagged bool) ([]features, error) {
	all := make([]features, len(files))
	type place struct {
		file int
		view imaging.View
	}
	var pixels [][]byte
	var places []place
	target := x.model.Folder().Target()
	for i, file := range files {
		result, err := imaging.Decode(file, imaging.Request{
			Targets: []imaging.Target{target}, Views: wanted, Gray: true, Limits: oneFrame(),
		})
		if err != nil {
			return nil, err
		}
		all[i] = features{sum: sha256.Sum256(file), looks: map[imaging.View]look{}}
		for _, rendered := range result.Frames[0].Views {
			g := rendered.Gray
			var l look
			if flagged && rendered.View == imaging.ViewOriginal {
				turns, quality := pdq.Turns(g.Width, g.Height, g.Pix)
				all[i].turns = turns[:]
				l.hash, l.quality = turns[pdq.Original], quality
			} else {
				l.hash, l.quality = pdq.Compute(g.Width, g.Height, g.Pix)
			}
			if rendered.View == imaging.ViewOriginal {
				small, err := g.Resized(smallSide, smallSide)
				if err != nil {
					return nil, err
				}
				all[i].small = small.Pix
				if all[i].points, err = recognise.Points(g, result.Width, result.Height, flagged); err != nil {
					return nil, err
				}
				if flagged {
					if all[i].points, err = asStored(all[i].points); err != nil {
						return nil, err
					}
				} else {
					coarse, err := recognise.CoarsePoints(g, result.Width, result.Height)
					if err != nil {
						return nil, err
					}
					all[i].asked, all[i].coarse = keypoint.Prepare(all[i].points), keypoint.PrepareCoarse(coarse)
					if all[i].plane, err = recognise.Plane(g, result.Width, result.Height); err != nil {
						return nil, err
					}
				}
			}
			all[i].looks[rendered.View] = l
			pixels = append(pixels, rendered.Pixels[0])
			places = append(places, place{i, rendered.View})
		}
	}
	vectors, err := x.model.Embed(ctx, pixels)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	folder := x.model.Folder()
	for k, at := range places {
		l := all[at.file].looks[at.view]
		l.vector, l.penalty = vectors[k], folder.BackgroundPenalty(vectors[k])
		if flagged {
			l.penalty += recognise.ViewPenalty(at.view)
		}
		all[at.file].looks[at.view] = l
	}
	return all, nil
}

// flags makes the features of all originals.
func (x *extractor) flags(ctx context.Context, originals []original, done func(done, all int)) ([]features, error) {
	flags := make([]features, len(originals))
	err := each(ctx, len(originals), done, func(ctx context.Context, i int) error {
		f, err := x.of(ctx, [][]byte{originals[i].file}, x.flagViews, true)
		if err != nil {
			return fmt.Errorf("%s: %w", originals[i].name, err)
		}
		flags[i] = f[0]
		return nil
	})
	return flags, err
}

// queries makes the uploads and their features.
func (x *extractor) queries(ctx context.Context, c *collection, plan []query, done func(done, all int)) ([]answered, error) {
	const batch = 19 // half of an original's edits
	all := make([]answered, len(plan))
	err := each(ctx, (len(plan)+batch-1)/batch, done, func(ctx context.Context, k int) error {
		part := plan[k*batch : min((k+1)*batch, len(plan))]
		files := make([][]byte, len(part))
		var err error
		for i, q := range part {
			if files[i], err = c.upload(q); err != nil {
				return err
			}
		}
		f, err := x.of(ctx, files, x.queryViews, false)
		if err != nil {
			return fmt.Errorf("an edit of %s: %w", c.originals[part[0].original].name, err)
		}
		for i, q := range part {
			all[k*batch+i] = answered{query: q, features: f[i], set: c.originals[q.original].set}
		}
		return nil
	})
	return all, err
}

// each runs a function for 0 to n-1 on all cores and says, in turn, how many are done. It stops at the first error.
func each(ctx context.Context, n int, done func(done, all int), f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var finished int
	var mu sync.Mutex
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(ctx, i); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			finished++
			done(finished, n)
			return nil
		})
	}
	return group.Wait()
}

// asStored gives the points back as the database does: in steps.
func asStored(f keypoint.Features) (stored keypoint.Features, err error) {
	data, err := f.MarshalBinary()
	if err == nil {
		err = stored.UnmarshalBinary(data)
	}
	return stored, err
}
