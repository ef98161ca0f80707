package flagctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type addCommand struct {
	Bank   string `help:"Bank to flag in; flagctl bank list shows them." default:"default" placeholder:"NAME"`
	Source string `help:"Where the pictures come from, such as a case number. The name of a file in a folder is added. The default is the file's name or the URL." placeholder:"TEXT"`
	Note   string `help:"Why they are flagged." placeholder:"TEXT"`

	// MODERATOR_LOOKBACK is moderator's setting: how long uploads are kept.
	Lookback bool `env:"-" help:"Also match them against the earlier uploads that moderator --lookback keeps."`

	Picture []string `arg:"" help:"Files, folders and URLs; - is standard input." predictor:"file"`
}

// added is the result of flagging one picture.
type added struct {
	Picture string `json:"picture"`
	Status  string `json:"status"` // flagged, already flagged, failed
	ID      string `json:"id,omitempty"`
	Error   string `json:"error,omitempty"`

	LowDetail bool `json:"low_detail,omitempty"` // only copies of the file will match
}

func (a *addCommand) Run(ctx context.Context, c *cli) error {
	sources, err := c.expand(a.Picture)
	if err != nil {
		return err
	}
	return c.withLibraryAndModel(ctx, func(db *matchdb.DB, x *recognise.Extractor) error {
		if _, err := db.Bank(ctx, a.Bank); err != nil {
			return err
		}
		results := make([]added, len(sources))
		bar := progress(c, len(sources))
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, source := range sources {
			group.Go(func() error {
				results[i] = a.add(ctx, c, db, x, source)
				_ = bar.Add(1)
				return nil
			})
		}
		_ = group.Wait() // results holds the errors
		_ = bar.Finish()
		err := a.report(c, results)
		if a.Lookback {
			err = errors.Join(err, a.lookBack(ctx, c, db, x, results))
		}
		return err
	})
}

// add flags one picture. An error becomes that picture's result, and the others go on.
func (a *addCommand) add(ctx context.Context, c *cli, db *matchdb.DB, x *recognise.Extractor, source string) added {
	result := added{Picture: named(source), Status: "failed"}
	if err := ctx.Err(); err != nil {
		result.Error = "interrupted"
		return result
	}
	data, err := read(ctx, source, c.MaxUploadBytes)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	picture, err := x.Extract(ctx, data, recognise.FlagViews())
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.LowDetail = picture.Flat()
	flag := matchdb.NewFlag{Bank: a.Bank, Source: a.sourceOf(source), Note: a.Note, By: c.As, Model: x.Folder().Fingerprint()}
	if err := picture.Describe(&flag, data); err != nil {
		result.Error = err.Error()
		return result
	}
	stored, err := db.Flag(ctx, flag)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.ID, result.Status = stored.ID.String(), "flagged"
	if stored.Existing {
		result.Status = "already flagged"
	}
	return result
}

// sourceOf returns the flag's source. With --source, a file in a folder keeps its name: where that is the folder's URL, the source is
// the file's.
func (a *addCommand) sourceOf(source string) string {
	switch {
	case a.Source == "" && source == stdin:
		return "standard input"
	case a.Source == "":
		return named(source)
	}
	for _, arg := range a.Picture {
		if name, err := filepath.Rel(arg, source); err == nil && source != arg && filepath.IsLocal(name) {
			return strings.TrimSuffix(a.Source, "/") + "/" + filepath.ToSlash(name)
		}
	}
	return a.Source
}

// lookBack matches the new flags against earlier uploads. It does not write to stdout, where report has written.
func (a *addCommand) lookBack(ctx context.Context, c *cli, db *matchdb.DB, x *recognise.Extractor, results []added) error {
	var flags []uuid.UUID
	for _, r := range results {
		if id, err := uuid.Parse(r.ID); err == nil { // failed pictures have no id
			flags = append(flags, id)
		}
	}
	out := c.stderr
	if c.Output == "json" {
		out = io.Discard
	}
	return c.lookBack(ctx, db, x.Folder(), flags, out)
}

func (a *addCommand) report(c *cli, results []added) error {
	count := map[string]int{}
	var rows, bad [][]string
	var flat []string
	for _, r := range results {
		count[r.Status]++
		switch {
		case r.Status == "failed":
			bad = append(bad, []string{r.Status, r.Picture, r.Error})
		case r.LowDetail:
			flat = append(flat, printable(r.Picture))
			rows = append(rows, []string{r.Status + " (low detail)", r.Picture, r.ID})
		default:
			rows = append(rows, []string{r.Status, r.Picture, r.ID})
		}
	}
	if err := c.print(results, "STATUS\tPICTURE\tID", append(rows, bad...)); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "%d flagged in %s, %d already flagged, %d failed\n", count["flagged"], a.Bank, count["already flagged"], count["failed"])
	if len(flat) > 0 {
		fmt.Fprintf(c.stderr, "too little detail to be recognised, so that only copies of the file itself match: %s\n", some(flat))
	}
	if failed := count["failed"]; failed > 0 {
		return fmt.Errorf("%s could not be flagged: see the lines marked failed", plural(failed, "picture"))
	}
	return nil
}

// some lists the first names, and counts the rest.
func some(names []string) string {
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// progress returns a progress bar, which is shown on a terminal only.
func progress(c *cli, n int) *progressbar.ProgressBar {
	file, ok := c.stderr.(*os.File)
	visible := ok && n > 1 && term.IsTerminal(int(file.Fd()))
	return progressbar.NewOptions(n,
		progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetVisibility(visible), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("pictures"), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
}
