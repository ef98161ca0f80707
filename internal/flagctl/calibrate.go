package flagctl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"moderator/internal/calibrate"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type calibrateCommand struct {
	FPR      float64 `name:"fpr" help:"False-positive rate: the share of pairs of different pictures that may match." default:"1e-6"`
	Pictures int     `help:"Most pictures of the folder that are compared. With --out, the others make the background." default:"500"`
	Edited   int     `help:"How many of them are edited, in 36 ways each." default:"60"`
	Seed     uint64  `help:"Seed of the samples." default:"1"`
	Report   string  `help:"HTML report to write." default:"calibration.html" placeholder:"FILE"`
	Out      string  `help:"Folder for a copy of the model with these thresholds, and with a background if the model lacks one." placeholder:"DIR"`
	Apply    string  `help:"Bank whose thresholds are set." placeholder:"BANK"`
	Folder   string  `arg:"" help:"Folder of 500 or more ordinary pictures of the platform that are not flagged." predictor:"file"`
}

// calibrated is the JSON output of calibrate.
type calibrated struct {
	Model       string             `json:"model"`
	Fingerprint string             `json:"fingerprint"` // of the model that the thresholds apply to
	FPR         float64            `json:"fpr"`
	BlockAt     float64            `json:"block_at"`
	ReviewAt    float64            `json:"review_at"`
	Pictures    int                `json:"pictures"`
	Edited      int                `json:"edited"`
	Pairs       int                `json:"pairs"`
	False       int                `json:"false_matches"`
	Recall      []calibrate.Recall `json:"recall"`
	Copies      []string           `json:"left_out_as_copies"`
	Report      string             `json:"report"`
	Out         string             `json:"out,omitempty"`
	Background  int                `json:"background,omitempty"` // number of new vectors
}

func (k *calibrateCommand) Run(ctx context.Context, c *cli) error {
	sources, err := k.sources(ctx, c)
	if err != nil {
		return err
	}
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	canvases, err := calibrate.NewCanvases(recognise.ImageLimits(c.Limits), c.Sandbox)
	if err != nil {
		return err
	}
	defer canvases.Close()
	background := k.Out != "" && x.Folder().Background() == nil
	if background && k.Apply != "" {
		return fmt.Errorf("--apply %s: a new background makes another model of %s: leave --apply out, and flag the originals with --model %s, which has the thresholds",
			k.Apply, x.Folder().Name(), k.Out)
	}
	job, err := calibrate.New(x, canvases, sources, background, calibrate.Options{
		FPR: k.FPR, Pictures: k.Pictures, Edited: k.Edited, Seed: k.Seed,
		Progress: func(_ string, n int) func() {
			bar := progress(c, n)
			return func() { _ = bar.Add(1) }
		},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", k.Folder, err)
	}
	folder, made, err := k.prepare(ctx, c, x, job, background)
	if err != nil {
		return err
	}
	result, gallery, err := job.Run(ctx, folder)
	if err != nil {
		return err
	}
	if k.Out != "" {
		if err := calibrate.WriteThresholds(k.Out, folder.Background() != nil, result); err != nil {
			return err
		}
	}
	if err := k.write(result, gallery, folder.Name()); err != nil {
		return err
	}
	if k.Apply != "" {
		if err := k.apply(ctx, c, folder, result); err != nil {
			return err
		}
	}
	return k.print(c, calibrated{
		Model: folder.Name(), Fingerprint: folder.Fingerprint(), FPR: k.FPR, BlockAt: result.BlockAt, ReviewAt: result.ReviewAt,
		Pictures: result.Pictures, Edited: result.Edited, Pairs: result.Pairs, False: result.False, Recall: result.Recall,
		Copies: gallery.Copies, Report: k.Report, Out: k.Out, Background: made,
	})
}

// sources reads the folder's pictures. It reports files that cannot be read, and leaves them out.
func (k *calibrateCommand) sources(ctx context.Context, c *cli) ([]calibrate.Source, error) {
	names, err := c.expand([]string{k.Folder})
	if err != nil {
		return nil, err
	}
	var sources []calibrate.Source
	for _, name := range names {
		data, err := readLimited(ctx, c, name)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(c.stderr, "left out: %s: %s\n", printable(name), printable(err.Error()))
			continue
		}
		if _, ok := imaging.Sniff(data); !ok {
			continue
		}
		relative, err := filepath.Rel(k.Folder, name)
		if err != nil {
			relative = name
		}
		sources = append(sources, calibrate.Source{Name: relative, Data: data})
	}
	return sources, nil
}

// prepare copies the model for --out, and adds a background if the model lacks one. It returns the model folder to measure
// and the number of new background vectors.
func (k *calibrateCommand) prepare(ctx context.Context, c *cli, x *recognise.Extractor, job *calibrate.Calibration, background bool) (*embed.Folder, int, error) {
	if k.Out == "" {
		if x.Folder().Background() == nil {
			fmt.Fprintf(c.stderr, "model %s has no background, so its score is the cosine: --out DIR makes a background, which finds more copies\n", x.Folder().Name())
		}
		return x.Folder(), 0, nil
	}
	if err := calibrate.CopyModel(recognise.ModelFiles(c.Model), k.Out); err != nil {
		return nil, 0, err
	}
	if !background {
		return x.Folder(), 0, nil
	}
	vectors, err := job.Background(ctx)
	if err != nil {
		return nil, 0, err
	}
	if err := calibrate.RemoveThresholds(k.Out); err != nil {
		return nil, 0, err
	}
	if err := calibrate.WriteBackground(k.Out, vectors); err != nil {
		return nil, 0, err
	}
	folder, err := embed.LoadDir(k.Out)
	return folder, len(vectors), err
}

func (k *calibrateCommand) write(r *calibrate.Result, g *calibrate.Gallery, model string) (err error) {
	file, err := os.Create(k.Report)
	if err != nil {
		return fmt.Errorf("report: %w: choose another file with --report", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	return r.Report(file, g, model)
}

// apply sets the thresholds of a bank.
func (k *calibrateCommand) apply(ctx context.Context, c *cli, folder *embed.Folder, r *calibrate.Result) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	why := fmt.Sprintf("calibrated on %s for a false-positive rate of %g", k.Folder, k.FPR)
	return db.SetBank(ctx, k.Apply, folder.Fingerprint(), matchdb.Thresholds{BlockAt: r.BlockAt, ReviewAt: &r.ReviewAt}, c.As, why)
}

func (k *calibrateCommand) print(c *cli, out calibrated) error {
	if c.Output == "json" {
		return c.print(out, "", nil)
	}
	fmt.Fprintf(c.stdout, "model %s: %d pictures, %d of them edited; %d pairs of different pictures, %d of them would block\n",
		out.Model, out.Pictures, out.Edited, out.Pairs, out.False)
	if n := len(out.Copies); n > 0 {
		fmt.Fprintf(c.stdout, "%s left out: PDQ takes them for copies of others\n", plural(n, "picture"))
	}
	if float64(out.Pairs) < 1/out.FPR {
		fmt.Fprintf(c.stdout, "%d pairs are too few for a rate of %g: the threshold is above the closest pair, and the real rate may be higher\n", out.Pairs, out.FPR)
	}
	fmt.Fprintln(c.stdout)
	rows := make([][]string, len(out.Recall))
	for i, r := range out.Recall {
		rows[i] = []string{r.Name, strconv.Itoa(r.Copies), share(r.Block), share(r.Review), share(r.Union)}
	}
	if err := c.print(nil, "EDIT\tCOPIES\tBLOCKED\tREVIEWED\tBLOCKED WITH PDQ", rows); err != nil {
		return err
	}
	bank := "BANK"
	if k.Apply != "" {
		bank = k.Apply
	}
	// With an equals sign, a negative score does not look like another flag.
	fmt.Fprintf(c.stdout, "\nflagctl bank set %s --block-at=%s --review-at=%s\n", bank, number(out.BlockAt), number(out.ReviewAt))
	switch {
	case k.Apply != "":
		fmt.Fprintf(c.stdout, "applied to bank %s\n", k.Apply)
	case k.Out != "":
		fmt.Fprintf(c.stdout, "or flag the originals again with --model %s, which has these thresholds\n", k.Out)
	}
	fmt.Fprintln(c.stdout, "report:", out.Report)
	return nil
}

func share(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
