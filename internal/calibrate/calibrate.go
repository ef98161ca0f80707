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
	FPR      float64 // share of the pairs of different pictures that may be taken for matches
	Pictures int     // most pictures that are flagged
	Edited   int     // so many of them are edited
	Seed     uint64  // of the samples
	Progress func(what string, n int) (done func())
}

// fewest pictures from which anything can be said.
const fewest = 20

// mostBackground is the most vectors of a background: more cost time with each upload and change little.
const mostBackground = 4096

// Calibration is a measurement under way.
type Calibration struct {
	x        *recognise.Extractor
	canvases *Canvases
	options  Options

	measured   []Source
	background []Source
}

// New divides the pictures: those that are measured, and where a background is wanted those that it is made of. No picture
// is both, as each is nearer to its own edits than to anything else. Errors name what is wrong with the options.
func New(x *recognise.Extractor, canvases *Canvases, sources []Source, background bool, o Options) (*Calibration, error) {
	switch {
	case !(o.FPR > 0 && o.FPR < 0.1):
		return nil, fmt.Errorf("a false-match rate of %g: want one above 0 and below 0.1, such as 1e-6", o.FPR)
	case o.Edited < 1 || o.Pictures < fewest:
		return nil, fmt.Errorf("%d pictures and %d edited: want %d and 1 at least", o.Pictures, o.Edited, fewest)
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
		return nil, fmt.Errorf("%d pictures to measure: want %d at least, and better 500; twice as many where a background is to be made", n, fewest)
	}
	c.measured = mixed[:n]
	return c, nil
}

// Background makes the vectors of a background, one a picture, of its upright view.
func (c *Calibration) Background(ctx context.Context) ([][]float32, error) {
	vectors := make([][]float32, len(c.background))
	done := c.options.Progress("background", len(c.background))
	err := each(ctx, len(c.background), done, func(ctx context.Context, i int) error {
		looks, err := extract(ctx, c.x, c.background[i].Data, []imaging.View{imaging.ViewOriginal}, false)
		if err == nil {
			vectors[i] = looks[0].Vector
		}
		return ctx.Err() // a file that is no picture is left out
	})
	return slices.DeleteFunc(vectors, func(v []float32) bool { return v == nil }), err
}

// Run measures. folder is the model's, or its copy with another background: only its share of the score is asked for.
func (c *Calibration) Run(ctx context.Context, folder *embed.Folder) (*Result, *Gallery, error) {
	flagged, err := flags(ctx, c.x, c.measured, c.options.Progress("flags", len(c.measured)))
	if err != nil {
		return nil, nil, err
	}
	kept, gallery := c.distinct(flagged)
	if len(kept) < fewest {
		return nil, nil, fmt.Errorf("%d different pictures: want %d at least, and better 500", len(kept), fewest)
	}
	asked, err := uploads(ctx, c.x, c.canvases, c.measured, kept, c.options.Edited, c.options.Seed, c.options.Progress("uploads", len(kept)))
	if err != nil {
		return nil, nil, err
	}
	held := make([]shown, len(kept))
	for k, i := range kept {
		held[k] = flagged[i]
	}
	if folder != c.x.Folder() {
		halve(folder, c.x.Folder(), asked)
		halve(folder, c.x.Folder(), held)
	}
	result := measure(asked, held, c.options.FPR)
	return result, gallery, gallery.blur(ctx, c.canvases, result.Closest)
}

// halve gives looks the shares of the score that another background makes of them; what is added to them stays.
func halve(folder, before *embed.Folder, all []shown) {
	for _, s := range all {
		for i := range s.looks {
			l := &s.looks[i]
			l.Penalty += folder.BackgroundPenalty(l.Vector) - before.BackgroundPenalty(l.Vector)
		}
	}
}

// Gallery is the pictures that were measured, and those that were not.
type Gallery struct {
	sources []Source
	Copies  []string // names of pictures that are copies of others to PDQ, and were left out
	NoGood  []string // names of files that are no pictures

	blurred map[int]template.URL // by number, of the closest pairs
}

// distinct are the numbers of the pictures that are no copies of others before them.
func (c *Calibration) distinct(flagged []shown) (kept []int, g *Gallery) {
	g = &Gallery{sources: c.measured}
	for i, f := range flagged {
		switch {
		case f.looks == nil:
			g.NoGood = append(g.NoGood, c.measured[i].Name)
		case slices.ContainsFunc(kept, func(k int) bool { return compare(shown{looks: upright(f)}, flagged[k]).pdq }):
			g.Copies = append(g.Copies, c.measured[i].Name)
		default:
			kept = append(kept, i)
		}
	}
	return kept, g
}

// upright is the first look, of the picture as it is.
func upright(s shown) []dedupe.Look { return s.looks[:1] }
