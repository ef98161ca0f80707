package flagctl

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type reembedCommand struct {
	Folder string `arg:"" help:"Folder that has the originals; other files in it are ignored." predictor:"file"`
}

// tally counts flags or allowed pictures by the result.
type tally struct {
	Done      int `json:"done"`
	Already   int `json:"already"`          // had all views by this model
	Without   int `json:"without_original"` // embedded by another model only; the folder lacks the original
	LowDetail int `json:"low_detail"`       // too little detail: only their files match
	Failed    int `json:"failed"`
}

func (t tally) row(what string) []string {
	row := []string{what}
	for _, n := range []int{t.Done, t.Already, t.Without, t.LowDetail, t.Failed} {
		row = append(row, strconv.Itoa(n))
	}
	return row
}

// reembedded is the JSON output of reembed.
type reembedded struct {
	Model       string       `json:"model"`
	Fingerprint string       `json:"fingerprint"`
	Flags       tally        `json:"flags"`
	Allowed     tally        `json:"allowed"`
	Failures    []badPicture `json:"failures"`
}

type badPicture struct {
	Picture string `json:"picture"`
	ID      string `json:"id"`
	Error   string `json:"error"`
}

// reembedding is one run of the command.
type reembedding struct {
	c  *cli
	db *matchdb.DB
	x  *recognise.Extractor

	mu     sync.Mutex                      // guards the fields below
	wanted map[string][]matchdb.Unembedded // by the file's SHA-256
	result reembedded
}

func (r *reembedCommand) Run(ctx context.Context, c *cli) error {
	files, err := c.expand([]string{r.Folder})
	if err != nil {
		return err
	}
	return c.withLibraryAndModel(ctx, func(db *matchdb.DB, x *recognise.Extractor) error {
		run, err := newReembedding(ctx, c, db, x)
		if err != nil {
			return err
		}
		if len(run.wanted) > 0 {
			run.all(ctx, files)
		}
		return run.report(ctx, r.Folder)
	})
}

func newReembedding(ctx context.Context, c *cli, db *matchdb.DB, x *recognise.Extractor) (*reembedding, error) {
	folder := x.Folder()
	coverage, err := db.Coverage(ctx, folder.Fingerprint(), storedViews())
	if err != nil {
		return nil, err
	}
	r := &reembedding{
		c: c, db: db, x: x, wanted: map[string][]matchdb.Unembedded{},
		result: reembedded{
			Model: folder.Name(), Fingerprint: folder.Fingerprint(), Failures: []badPicture{},
			Flags: tally{Already: coverage.Flags}, Allowed: tally{Already: coverage.Allowed},
		},
	}
	for _, u := range coverage.Lacking {
		r.wanted[u.SHA256] = append(r.wanted[u.SHA256], u)
	}
	return r, nil
}

// storedViews returns the views that every flag with enough detail is stored with.
func storedViews() []string {
	var names []string
	for _, view := range recognise.FlagViews() {
		if view != imaging.ViewTrimmed { // only pictures with a border have it
			names = append(names, string(view))
		}
	}
	return names
}

// all reads the files, several at a time. The result holds the errors.
func (r *reembedding) all(ctx context.Context, files []string) {
	bar := progress(r.c, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, file := range files {
		group.Go(func() error {
			r.file(ctx, bar, file)
			return nil
		})
	}
	_ = group.Wait()
	_ = bar.Finish()
}

// file embeds the picture of a file if the library lacks its embeddings. It reports a file that cannot be read.
func (r *reembedding) file(ctx context.Context, bar *progressbar.ProgressBar, name string) {
	data, err := readLimited(ctx, r.c, name)
	if ctx.Err() != nil {
		return
	}
	defer func() { _ = bar.Add(1) }()
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.c.stderr, "left out: %s: %s\n", printable(name), printable(err.Error()))
		return
	}
	sum := sha256Hex(data)
	r.mu.Lock()
	pictures := r.wanted[sum]
	delete(r.wanted, sum) // so that a copy of the file is not embedded again
	r.mu.Unlock()
	if len(pictures) > 0 {
		r.embed(ctx, name, data, pictures)
	}
}

// embed adds the missing embeddings to the flags and allowed pictures of one file.
func (r *reembedding) embed(ctx context.Context, name string, data []byte, pictures []matchdb.Unembedded) {
	found, err := r.x.Extract(ctx, data, recognise.FlagViews())
	embeddings, _ := found.Signals()
	for _, p := range pictures {
		stored := err
		if err == nil && !found.Flat() {
			stored = r.db.AddEmbeddings(ctx, matchdb.MoreEmbeddings{
				Unembedded: p, Model: r.result.Fingerprint, Embeddings: embeddings, By: r.c.As,
				Why: fmt.Sprintf("by model %s (%s)", r.result.Model, r.result.Fingerprint[:12]),
			})
		}
		r.count(name, p, found.Flat(), stored)
	}
}

func (r *reembedding) count(name string, p matchdb.Unembedded, flat bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tally(p)
	switch {
	case errors.Is(err, matchdb.ErrNotFound): // retracted in the meantime
	case err != nil:
		t.Failed++
		r.result.Failures = append(r.result.Failures, badPicture{Picture: name, ID: p.ID.String(), Error: err.Error()})
	case flat:
		t.LowDetail++
	default:
		t.Done++
	}
}

func (r *reembedding) tally(p matchdb.Unembedded) *tally {
	if p.Allowed {
		return &r.result.Allowed
	}
	return &r.result.Flags
}

func (r *reembedding) report(ctx context.Context, folder string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %d are embedded; the same command continues", ctx.Err(), r.result.Flags.Done+r.result.Allowed.Done)
	}
	for _, pictures := range r.wanted {
		for _, p := range pictures {
			if p.Before { // only a picture that another model has embedded is lost
				r.tally(p).Without++
			}
		}
	}
	rows := [][]string{r.result.Flags.row("flags"), r.result.Allowed.row("allowed")}
	if err := r.c.print(r.result, "\tDONE\tALREADY\tWITHOUT ORIGINAL\tLOW DETAIL\tFAILED", rows); err != nil {
		return err
	}
	for _, bad := range r.result.Failures {
		fmt.Fprintf(r.c.stderr, "failed: %s (%s): %s\n", printable(bad.Picture), bad.ID, printable(bad.Error))
	}
	if n := r.result.Flags.Without; n > 0 {
		fmt.Fprintf(r.c.stderr, "%s not found by model %s: %s lacks the originals; `flagctl verify` names some\n",
			plural(n, "flag"), r.result.Model, printable(folder))
	}
	if n := len(r.result.Failures); n > 0 {
		return fmt.Errorf("%s could not be embedded: see the lines above", plural(n, "picture"))
	}
	return nil
}
