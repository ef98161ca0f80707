package flagctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
)

type importCommand struct {
	Bank        string `help:"Bank to flag in. The default is the list's banks, which are added if missing, or the bank default." placeholder:"NAME"`
	Source      string `help:"Source of flags that the list gives no source; the default is the list's name." placeholder:"TEXT"`
	Type        string `help:"Type of hashes of 64 digits whose type the list does not say: ${enum}." enum:"unknown,pdq,sha256" default:"unknown"`
	HashesOnly  bool   `help:"Take only the list's hashes, for a list with embeddings of another model."`
	DryRun      bool   `help:"Read the list and count what would be flagged, without flagging it."`
	Connections int    `help:"Connections that write at once; 0 is the CPU quota." default:"0"`
	File        string `arg:"" help:"List in a format of docs/lists.md; - is standard input." predictor:"file"`
}

// imported is the JSON output of import.
type imported struct {
	File      string  `json:"file"`
	Format    string  `json:"format"`
	DryRun    bool    `json:"dry_run"`
	Flagged   int     `json:"flagged"`
	Already   int     `json:"already_flagged"`
	Retracted int     `json:"retracted"` // before, and left retracted
	Skipped   int     `json:"skipped"`   // other signals than of pictures, or not confirmed
	Bad       int     `json:"bad"`
	Seconds   float64 `json:"seconds"`
}

// loader is one run of import.
type loader struct {
	*importCommand
	c      *cli
	db     *matchdb.DB
	load   *matchdb.Import
	list   *hashlist.Reader
	size   int64 // in bytes; 0: unknown
	meter  *meter
	banks  map[string]bool // that exist
	met    *hashlist.Met   // the entries that a dry run has counted; nil in a real run
	skips  map[string]int  // by reason
	result imported
	mu     sync.Mutex // result's counts
}

func (i *importCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	in, size, err := open(ctx, i.File)
	if err != nil {
		return err
	}
	defer in.Close()
	bare := hashlist.HashType(i.Type)
	if i.Type == "unknown" {
		bare = ""
	}
	list, err := hashlist.Open(in, bare)
	if err != nil {
		return fmt.Errorf("%s: %w", i.File, err)
	}
	l := &loader{
		importCommand: i, c: c, db: db, list: list, size: size, load: db.NewImport(c.As, i.why()),
		meter: newMeter(c.stderr, "import", size), banks: map[string]bool{}, skips: map[string]int{}, result: imported{File: i.File, Format: string(list.Format), DryRun: i.DryRun},
	}
	if i.DryRun {
		l.met = hashlist.NewMet()
	}
	if err := l.prepare(ctx); err != nil {
		return fmt.Errorf("%s: %w", i.File, err)
	}
	start := time.Now()
	err = l.run(ctx)
	l.result.Seconds = time.Since(start).Seconds()
	l.meter.finish()
	if err != nil {
		return fmt.Errorf("%s: %w: %d are flagged; the same command continues", i.File, err, l.result.Flagged)
	}
	return l.report()
}

// why is the reason in the audit log.
func (i *importCommand) why() string { return "import of " + filepath.Base(i.File) }

// prepare checks the list against the library, and adds the list's banks, disabled where the list has them disabled.
func (l *loader) prepare(ctx context.Context) error {
	if !l.HashesOnly {
		if err := l.db.CheckModels(ctx, l.list.Header.Models); err != nil {
			return err
		}
	}
	if l.Bank != "" {
		_, err := l.db.Bank(ctx, l.Bank)
		l.banks[l.Bank] = true
		return err
	}
	for _, name := range l.list.Header.DisabledBanks {
		if l.DryRun {
			break
		}
		if err := l.makeBank(ctx, name); err != nil {
			return err
		}
		bank, err := l.db.Bank(ctx, name)
		if err != nil {
			return err
		}
		if bank.Flags == 0 && bank.Enabled {
			if err := l.db.DisableBank(ctx, name, l.c.As, l.why()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) makeBank(ctx context.Context, name string) error {
	if l.banks[name] || l.DryRun {
		return nil
	}
	err := l.db.AddBank(ctx, name, l.c.As, l.why())
	if err == nil {
		l.meter.say(fmt.Sprintf("bank %s added", name))
	}
	if err != nil && !errors.Is(err, matchdb.ErrExists) {
		return err
	}
	l.banks[name] = true
	return nil
}

// A part is written in one transaction. It is large enough to make the transaction's cost small, and small enough that a
// kill loses one second of work.
const (
	partFlags = 2000
	partRows  = 4000 // hashes and embeddings
)

func (l *loader) run(ctx context.Context) error {
	writers := l.Connections
	if writers == 0 {
		writers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	parts := make(chan []hashlist.Flag)
	group.Go(func() error {
		defer close(parts)
		return l.read(ctx, parts)
	})
	for range writers {
		group.Go(func() error {
			for part := range parts {
				if err := l.write(ctx, part); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// read cuts the list into parts. It reports a bad line and leaves it out.
func (l *loader) read(ctx context.Context, parts chan<- []hashlist.Flag) error {
	var part []hashlist.Flag
	rows := 0
	send := func() error {
		select {
		case parts <- part:
			part, rows = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		flag, err := l.next(ctx)
		var line *hashlist.LineError
		switch {
		case errors.Is(err, io.EOF):
			if len(part) == 0 {
				return nil
			}
			return send()
		case errors.As(err, &line):
			l.fault(line)
			continue
		case err != nil:
			return err
		case l.met != nil && !l.met.First(flag):
			l.count(matchdb.Loaded{Known: 1}, 1)
			continue
		}
		part = append(part, flag)
		rows += len(flag.PDQ) + len(flag.Embeddings)
		if len(part) == partFlags || rows >= partRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// next returns the next flag as the library stores it, or a *hashlist.LineError.
func (l *loader) next(ctx context.Context) (hashlist.Flag, error) {
	f, err := l.list.Next()
	l.meter.reach(l.list.Read(), l.size)
	if err != nil {
		return f, err
	}
	switch {
	case l.Bank != "":
		f.Bank = l.Bank
	case f.Bank == "":
		f.Bank = "default"
	}
	if f.Source == "" && l.list.Format != hashlist.Own {
		f.Source = l.Source
		if f.Source == "" {
			f.Source = filepath.Base(l.File)
		}
	}
	if l.HashesOnly {
		f.Embeddings, f.Keypoints = nil, nil
		if !f.HasFile() && len(f.PDQ) == 0 {
			return f, &hashlist.LineError{Line: l.list.Line(), Skipped: true, Err: errors.New("the entry has only embeddings")}
		}
	}
	if err := l.db.CheckFlag(ctx, f); err != nil {
		if matchdb.Retryable(err) || ctx.Err() != nil {
			return f, err
		}
		return f, &hashlist.LineError{Line: l.list.Line(), Err: err}
	}
	return f, l.makeBank(ctx, f.Bank)
}

const (
	saidSkips   = 10  // lines of one reason are printed; the others are counted
	skipReasons = 100 // are counted apart
)

func (l *loader) fault(line *hashlist.LineError) {
	if line.Skipped {
		l.result.Skipped++
		reason := line.Err.Error()
		if _, known := l.skips[reason]; !known && len(l.skips) == skipReasons {
			reason = "other reasons"
		}
		if l.skips[reason]++; l.skips[reason] <= saidSkips {
			l.meter.say("skipped " + printable(line.Error()))
		}
		return
	}
	l.result.Bad++
	l.meter.say("bad " + printable(line.Error()))
}

// retries of a part whose connection broke or whose transaction had a conflict. The first waits a second, later ones longer.
const retries = 5

func (l *loader) write(ctx context.Context, part []hashlist.Flag) error {
	do := l.load.Load
	if l.DryRun {
		do = l.load.Compare
	}
	for attempt := 1; ; attempt++ {
		loaded, err := do(ctx, part)
		if err == nil {
			l.count(loaded, len(part))
			return nil
		}
		if attempt > retries || !matchdb.Retryable(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * time.Second):
		}
	}
}

func (l *loader) count(loaded matchdb.Loaded, flags int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Flagged += loaded.New
	l.result.Already += loaded.Known
	l.result.Retracted += loaded.Retracted
	l.meter.add(flags)
}

func (l *loader) report() error {
	r := l.result
	done := "flagged"
	if r.DryRun {
		done = "would be flagged"
	}
	rows := [][]string{{done, fmt.Sprint(r.Flagged)}, {"already flagged", fmt.Sprint(r.Already)}}
	rows = append(rows, []string{"retracted before", fmt.Sprint(r.Retracted)}, []string{"skipped", fmt.Sprint(r.Skipped)}, []string{"bad", fmt.Sprint(r.Bad)})
	if err := l.c.print(r, "", rows); err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(l.skips)) {
		if n := l.skips[reason]; n > saidSkips {
			fmt.Fprintf(l.c.stderr, "skipped %d lines: %s\n", n, printable(reason))
		}
	}
	all := r.Flagged + r.Already + r.Retracted
	fmt.Fprintf(l.c.stderr, "%s of %s read in %.1f s, %.0f a second\n", plural(all, "flag"), r.Format, r.Seconds, float64(all)/max(r.Seconds, 1e-3))
	if r.Bad > 0 {
		return fmt.Errorf("%s of %s could not be read: see the lines marked bad", plural(r.Bad, "line"), l.File)
	}
	return nil
}
