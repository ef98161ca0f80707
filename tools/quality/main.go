// Command quality measures how well copies of flagged pictures are found, and how rarely other pictures are taken for one:
// it flags a folder's pictures, edits a sample of them in 38 ways, compares every edit with every flag, and reports each
// signal's recall at the same rate of false matches.
//
//	folder ─► originals ─► flags:   views ─► vectors, PDQ ─┐
//	               └─ sample ─► edits: views ─► vectors, PDQ ─┴─► scores of all pairs ─► thresholds ─► recall
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/transforms"
	"moderator/models"
)

type options struct {
	Images      string   `help:"Folder of pictures. Default: bench of $MODERATOR_TESTDATA or of ../shared/testdata, else drawn ones." placeholder:"DIR"`
	Model       string   `help:"Model folder. Default: the shipped one." placeholder:"DIR"`
	Out         string   `help:"Folder for the report." default:".cache/quality" placeholder:"DIR"`
	Originals   int      `help:"So many of the pictures are edited; all are flagged." default:"160"`
	Drawn       int      `help:"So many pictures are drawn where there is no folder." default:"240"`
	FPR         float64  `help:"Rate of false matches at which recall is given." default:"1e-6"`
	Candidates  int      `help:"So many near flags are compared point by point, as moderator's setting of this name says." default:"8"`
	Seed        uint64   `help:"Of the sample and of the edits." default:"1"`
	Live        bool     `help:"Also send the edits to a running moderator, and compare its decisions with what is measured here."`
	Bin         string   `help:"Folder of the built commands, for --live." default:"bin" placeholder:"DIR"`
	Flags       int      `help:"So many flags in the library: the pictures, then distractors. 0: the pictures alone, all pairs compared." default:"0"`
	Distractors string   `help:"Folder of other pictures: validation/KIND-NAME/ and test/KIND-NAME/, half of each flagged, half uploaded." placeholder:"DIR"`
	Parts       []string `help:"Which folders of --distractors to read." default:"validation,test"`
	Varied      int      `help:"Edit in so many ways drawn at random, in place of the 38: to fit the weights of the evidence."`
	PerKind     int      `help:"So many template pictures of each kind are flagged, and so many uploaded." default:"100"`
	Layouts     int      `help:"They are of so many layouts, each filled in differently." default:"4"`
	Pairs       string   `help:"Also write every candidate that was verified to this CSV file." placeholder:"FILE"`
	Ablate      bool     `help:"Also measure what each view of a flag gains and costs."`
}

func (o options) validate() error {
	switch {
	case o.FPR <= 0 || o.FPR >= 1:
		return fmt.Errorf("--fpr %g: wanted a rate between 0 and 1, such as 1e-6", o.FPR)
	case o.Originals < 1:
		return fmt.Errorf("--originals %d: wanted 1 or more", o.Originals)
	case o.Drawn < 2:
		return fmt.Errorf("--drawn %d: wanted 2 or more", o.Drawn)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	var o options
	parser, err := kong.New(&o, kong.Name("quality"), kong.Description("How well copies of flagged pictures are found."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}

	set, err := o.pictures(stdout)
	if err != nil {
		return err
	}
	folder, err := o.folder()
	if err != nil {
		return err
	}
	model, err := embed.Open(ctx, folder, embed.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := model.Close(); err == nil {
			err = closeErr
		}
	}()
	fmt.Fprintf(stdout, "model: %s, %d dimensions, fingerprint %.12s, on %s\n",
		folder.Name(), model.Folder().Dims(), folder.Fingerprint(), model.Report().Provider)

	flagViews, queryViews := recognise.FlagViews(), recognise.QueryViews()
	x := &extractor{model: model, flagViews: flagViews, queryViews: queryViews}
	if o.Ablate {
		x.flagViews, x.queryViews = candidates(flagViews), candidates(queryViews)
	}
	blockAt, _, calibrated := folder.Thresholds()
	if o.Flags > 0 {
		p, err := o.measurePlatform(ctx, x, set, byEvidence(model.Folder()), stdout)
		if err != nil {
			return err
		}
		if o.Pairs != "" {
			if err := p.writePairs(o.Pairs); err != nil {
				return err
			}
		}
		p.print(stdout)
		return nil
	}
	flags, err := x.flags(ctx, set.originals, progress(stdout, "flagged"))
	if err != nil {
		return err
	}
	queries, err := x.queries(ctx, set, set.plan(o.Originals, o.Seed, o.edits()), progress(stdout, "edited"))
	if err != nil {
		return err
	}
	near := &closer{flags: flags, queries: queries, most: o.Candidates, reviewAt: x.reviewAt()}
	m := measure(flags, queries, flagViews, queryViews, near, o.FPR)
	m.print(stdout, set)
	if calibrated {
		m.printOwn(stdout, blockAt)
	}
	if o.Live {
		if !calibrated {
			return fmt.Errorf("--live: %s has no moderation.json with block_at, at which a running moderator decides", folder.Name())
		}
		if err := o.live(ctx, m, set, stdout); err != nil {
			return err
		}
	}
	if o.Ablate {
		printAblation(stdout, ablate(flags, queries, flagViews, queryViews, near, o.FPR))
	}
	path := filepath.Join(o.Out, "report.html")
	if err := writeReport(path, m, set, folder.Name()); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "report: %s\n%s\n", path, m.line(len(set.originals)))
	return nil
}

func (o options) edits() []transforms.Edit {
	if o.Varied > 0 {
		return transforms.Varied(o.Varied)
	}
	return transforms.Quality()
}

func (o options) folder() (*embed.Folder, error) {
	if o.Model != "" {
		return embed.LoadDir(o.Model)
	}
	return embed.LoadFS(models.CopyDetect())
}

// progress returns a function that says, in quarters, how many of all are done.
func progress(stdout io.Writer, what string) func(done, all int) {
	return func(done, all int) {
		if done*4/all != (done-1)*4/all {
			fmt.Fprintf(stdout, "%s: %d of %d\n", what, done, all)
		}
	}
}

// oneFrame is the limit for originals: of an animation the first frame counts.
func oneFrame() imaging.Limits {
	limits := imaging.DefaultLimits()
	limits.MaxFrames = 1
	return limits
}
