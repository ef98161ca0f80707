package calibrate

import (
	"context"
	"fmt"
	"html/template"
	"math/rand/v2"
	"slices"

	"moderator/internal/dedupe"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
)

// Options say what to measure.
type Options struct {
	FPR      float64 // false-positive rate: share of the pairs of different pictures that may match
	Pictures int     // most pictures to flag
	Edited   int     // how many of them to edit
	Seed     uint64  // seed of the samples
	Progress func(what string, n int) (done func())
}

// fewest is how many pictures a measurement needs.
const fewest = 20

// mostBackground is the most vectors of a background. More vectors take time for each upload and change scores little.
const mostBackground = 4096

// Calibration is one measurement.
type Calibration struct {
	x        *recognise.Extractor
	canvases *Canvases
	options  Options

	measured   []Source
	background []Source
}

// New chooses the pictures to measure and, if a background is to be made, other pictures for the background. No picture is
// both: a picture in the background would lower the scores of its own edits. Errors name the option and what is wanted.
func New(x *recognise.Extractor, canvases *Canvases, sources []Source, background bool, o Options) (*Calibration, error) {
	switch {
	case !(o.FPR > 0 && o.FPR < 0.1):
		return nil, fmt.Errorf("a false-positive rate of %g: want more than 0 and less than 0.1, such as 1e-6", o.FPR)
	case o.Edited < 1 || o.Pictures < fewest:
		return nil, fmt.Errorf("%d pictures and %d edited: want at least %d and 1", o.Pictures, o.Edited, fewest)
	}
	mixed := slices.Clone(sources)
	rand.New(rand.NewPCG(o.Seed, 0)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	n := min(len(mixed), o.Pictures)
	c := &Calibration{x: x, canvases: canvases, options: o}
	if background {
		n = min(n, len(mixed)/2)
		c.background = mixed[n:min(len(mixed), n+mostBackground)]
	}
	if n < fewest {
		return nil, fmt.Errorf("%d pictures to measure: want at least %d, better 500; twice as many to make a background", n, fewest)
	}
	c.measured = mixed[:n]
	return c, nil
}

// Background returns the vectors of a background: one for the original view of each picture.
func (c *Calibration) Background(ctx context.Context) ([][]float32, error) {
	vectors := make([][]float32, len(c.background))
	done := c.options.Progress("background", len(c.background))
	err := each(ctx, len(c.background), done, func(ctx context.Context, i int) error {
		views, err := extract(ctx, c.x, c.background[i].Data, []imaging.View{imaging.ViewOriginal}, false)
		if err == nil {
			vectors[i] = views[0].Vector
		}
		return ctx.Err() // leave out a file that cannot be decoded
	})
	return slices.DeleteFunc(vectors, func(v []float32) bool { return v == nil }), err
}

// Run measures. folder is the model's, or a copy with another background, whose penalties are used.
func (c *Calibration) Run(ctx context.Context, folder *embed.Folder) (*Result, *Gallery, error) {
	flagged, err := flags(ctx, c.x, c.measured, c.options.Progress("flags", len(c.measured)))
	if err != nil {
		return nil, nil, err
	}
	kept, gallery := c.distinct(flagged)
	if len(kept) < fewest {
		return nil, nil, fmt.Errorf("%d different pictures: want at least %d, better 500", len(kept), fewest)
	}
	queries, err := uploads(ctx, c.x, c.canvases, c.measured, kept, c.options.Edited, c.options.Seed, c.options.Progress("uploads", len(kept)))
	if err != nil {
		return nil, nil, err
	}
	library := make([]compared, len(kept))
	for k, i := range kept {
		library[k] = flagged[i]
	}
	if folder != c.x.Folder() {
		penalise(folder, c.x.Folder(), queries)
		penalise(folder, c.x.Folder(), library)
	}
	result := measure(queries, library, c.options.FPR)
	return result, gallery, gallery.blur(ctx, c.canvases, result.Closest)
}

// penalise replaces the penalties of one background by those of another. View penalties stay.
func penalise(folder, before *embed.Folder, all []compared) {
	for _, s := range all {
		for i := range s.views {
			l := &s.views[i]
			l.Penalty += folder.BackgroundPenalty(l.Vector) - before.BackgroundPenalty(l.Vector)
		}
	}
}

// Gallery is the pictures of a measurement, for the report.
type Gallery struct {
	sources []Source
	Copies  []string // names of pictures that were left out as copies, by PDQ
	NoGood  []string // names of files that cannot be decoded

	blurred map[int]template.URL // by number, of the pictures of the closest pairs
}

// distinct returns the numbers of the pictures that are not copies of an earlier one.
func (c *Calibration) distinct(flagged []compared) (kept []int, g *Gallery) {
	g = &Gallery{sources: c.measured}
	for i, f := range flagged {
		switch {
		case f.views == nil:
			g.NoGood = append(g.NoGood, c.measured[i].Name)
		case slices.ContainsFunc(kept, func(k int) bool { return compare(compared{views: upright(f)}, flagged[k]).pdq }):
			g.Copies = append(g.Copies, c.measured[i].Name)
		default:
			kept = append(kept, i)
		}
	}
	return kept, g
}

// upright returns the first view, the original.
func upright(s compared) []dedupe.View { return s.views[:1] }
