package flagctl

import (
	"context"
	"fmt"
	"strconv"

	"moderator/internal/matchdb"
)

type listCommand struct {
	Bank      string `help:"Only this bank." placeholder:"NAME"`
	Retracted bool   `help:"Also list retracted flags."`
	// Quarantined lists those alone.
	Quarantined bool `help:"Only flags in quarantine, which ask for review as they blocked very many uploads."`
	Limit       int  `help:"Most lines, the newest first; 0 is all." default:"100"`
}

func (l *listCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	flags, err := db.ListFlags(ctx, matchdb.FlagFilter{Bank: l.Bank, Retracted: l.Retracted, Quarantined: l.Quarantined, Limit: l.Limit})
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
	if len(flags) == 0 && l.Quarantined {
		fmt.Fprintln(c.stderr, "no flag is in quarantine")
	} else if len(flags) == 0 && c.Output == "table" {
		fmt.Fprintln(c.stderr, "nothing is flagged: `flagctl add picture.jpg` flags a picture")
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
