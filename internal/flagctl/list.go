package flagctl

import (
	"context"
	"fmt"
	"strconv"

	"moderator/internal/matchdb"
)

type listCommand struct {
	Bank      string `help:"Only this bank." placeholder:"NAME"`
	Source    string `help:"Only flags whose source contains this." placeholder:"TEXT"`
	Note      string `help:"Only flags whose note contains this." placeholder:"TEXT"`
	By        string `help:"Only flags by this person or database user." placeholder:"NAME"`
	Since     since  `help:"Only flags since then: 12h, 30d, 2026-03-01." placeholder:"WHEN"`
	Retracted bool   `help:"Also list retracted flags."`
	// Quarantined lists those alone.
	Quarantined bool   `help:"Only flags in quarantine, which ask for review as they blocked very many uploads."`
	After       string `help:"Only flags behind this one in the list, for the next page: its id, or the id's beginning." placeholder:"ID"`
	Limit       int    `help:"Most lines, the newest first; 0 is all." default:"100"`
	Count       bool   `help:"Print only how many flags there are."`
}

func (l *listCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	filter := matchdb.FlagFilter{
		Bank: l.Bank, Source: l.Source, Note: l.Note, By: l.By, Since: l.Since.Time, Retracted: l.Retracted, Quarantined: l.Quarantined, Limit: l.Limit,
	}
	if l.After != "" {
		last, err := db.Show(ctx, l.After)
		if err != nil {
			return err
		}
		filter.After = last.ID
	}
	if l.Count {
		return l.count(ctx, c, db, filter)
	}
	flags, err := db.ListFlags(ctx, filter)
	if err != nil {
		return err
	}
	rows := make([][]string, len(flags))
	for i, f := range flags {
		state := "active"
		switch {
		case f.RetractedAt != nil:
			state = "retracted"
		case f.Quarantine != nil:
			state = "quarantined"
		}
		rows[i] = []string{f.ID.String(), f.Bank, state, moment(f.CreatedAt), f.CreatedBy, strconv.Itoa(f.Views), f.Source}
	}
	if err := c.print(allToJSON(flags), "ID\tBANK\tSTATE\tFLAGGED\tBY\tVIEWS\tSOURCE", rows); err != nil {
		return err
	}
	return l.note(ctx, c, db, filter, flags)
}

// count prints the number of flags.
func (l *listCommand) count(ctx context.Context, c *cli, db *matchdb.DB, filter matchdb.FlagFilter) error {
	if l.Bank != "" {
		if _, err := db.Bank(ctx, l.Bank); err != nil {
			return err
		}
	}
	n, err := db.CountFlags(ctx, filter)
	if err != nil {
		return err
	}
	return c.print(map[string]int{"flags": n}, "", [][]string{{strconv.Itoa(n)}})
}

// note says on stderr why the list is empty, or how its next page is had.
func (l *listCommand) note(ctx context.Context, c *cli, db *matchdb.DB, filter matchdb.FlagFilter, flags []matchdb.Flagged) error {
	everything := matchdb.FlagFilter{Retracted: l.Retracted, Limit: l.Limit}
	switch {
	case c.Output == "json":
	case len(flags) == 0 && l.Quarantined:
		fmt.Fprintln(c.stderr, "no flag is in quarantine")
	case len(flags) == 0 && filter != everything:
		fmt.Fprintln(c.stderr, "the search finds no flag")
	case len(flags) == 0:
		fmt.Fprintln(c.stderr, "nothing is flagged: `flagctl add picture.jpg` flags a picture")
	case len(flags) == l.Limit:
		n, err := db.CountFlags(ctx, filter)
		if err == nil && n > len(flags) {
			fmt.Fprintf(c.stderr, "%d of %s: the same with --after %s lists what follows\n", len(flags), plural(n, "flag"), flags[len(flags)-1].ID)
		}
		return err
	}
	return nil
}

type showCommand struct {
	ID string `arg:"" help:"Id of the flagged picture, or the id's beginning."`
}

func (s *showCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	f, err := db.Show(ctx, s.ID)
	if err != nil {
		return err
	}
	rows := [][]string{
		{"id", f.ID.String()},
		{"bank", f.Bank},
		{"sha256", f.SHA256},
		{"sha1", f.SHA1},
		{"md5", f.MD5},
		{"source", f.Source},
		{"note", f.Note},
		{"flagged", moment(f.CreatedAt) + " by " + f.CreatedBy + " (database user " + f.CreatedUser + ")"},
	}
	if q := f.Quarantine; q != nil {
		rows = append(rows, []string{"quarantined", fmt.Sprintf("%s, after it blocked %d uploads within an hour: `flagctl release %s` lets it block again", moment(q.Since), q.Blocked, f.ID)})
	}
	for _, e := range f.Embeddings {
		rows = append(rows, []string{"view", e.View + " (model " + e.Model + ")"})
	}
	if f.RetractedAt != nil {
		rows = append(rows, []string{"retracted", moment(*f.RetractedAt) + " by " + f.RetractedBy + ": " + f.RetractReason})
	}
	return c.print(toJSON(f), "", rows)
}
