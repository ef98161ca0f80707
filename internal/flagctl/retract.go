package flagctl

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

// selection names flags by id or by a search.
type selection struct {
	Bank   string `help:"All flags of this bank." placeholder:"NAME"`
	Source string `help:"All flags whose source contains this." placeholder:"TEXT"`
	Note   string `help:"All flags whose note contains this." placeholder:"TEXT"`
	Since  since  `help:"All flags since then: 12h, 30d, 2026-03-01." placeholder:"WHEN"`
	confirmation
	ID []string `arg:"" optional:"" help:"Ids of flagged pictures, or their beginnings."`
}

// find returns the named flags. It asks for confirmation of flags that a search found.
func (s *selection) find(ctx context.Context, c *cli, db *matchdb.DB, retracted bool, verb string) ([]matchdb.Flagged, error) {
	search := matchdb.Selection{Bank: s.Bank, Source: s.Source, Note: s.Note, Since: s.Since.Time}
	switch {
	case len(s.ID) > 0 && !search.Empty():
		return nil, errors.New("both ids and a search are given: want either")
	case len(s.ID) == 0 && search.Empty():
		return nil, errors.New("no flag is named: give ids, or a search by --bank, --source, --note or --since")
	case len(s.ID) > 0:
		flags := make([]matchdb.Flagged, len(s.ID))
		for i, id := range s.ID {
			var err error
			if flags[i], err = db.Show(ctx, id); err != nil {
				return nil, err
			}
			if is := flags[i].RetractedAt != nil; is != retracted {
				return nil, fmt.Errorf("%s is %s: nothing was changed", flags[i].ID, map[bool]string{true: "retracted already", false: "not retracted"}[is])
			}
		}
		return flags, nil
	}
	flags, err := db.Select(ctx, search, retracted)
	if err != nil {
		return nil, err
	}
	if len(flags) == 0 {
		return nil, errors.New("the search finds no flag")
	}
	return flags, s.confirm(c, flags, verb)
}

// shownBefore is how many flags a question shows.
const shownBefore = 10

// confirm shows the flags and asks.
func (s *selection) confirm(c *cli, flags []matchdb.Flagged, verb string) error {
	if s.Yes || len(flags) == 1 {
		return nil
	}
	for _, f := range flags[:min(len(flags), shownBefore)] {
		fmt.Fprintf(c.stderr, "%s  %s  %s  %s\n", f.ID, f.Bank, moment(f.CreatedAt), printable(f.Source))
	}
	if more := len(flags) - shownBefore; more > 0 {
		fmt.Fprintf(c.stderr, "and %d more\n", more)
	}
	return s.ask(c, "the search finds "+plural(len(flags), "flag"), verb)
}

// change retracts or restores the named flags in one transaction, and prints them.
func (s *selection) change(ctx context.Context, c *cli, retracted bool, verb, past string, do func(*matchdb.DB, []uuid.UUID) (int, error)) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	flags, err := s.find(ctx, c, db, retracted, verb)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(flags))
	for i, f := range flags {
		ids[i] = f.ID
	}
	n, err := do(db, ids)
	if err != nil {
		return err
	}
	rows := make([][]string, len(ids))
	for i := range flags {
		if flags[i], err = db.Show(ctx, ids[i].String()); err != nil {
			return err
		}
		rows[i] = []string{past, ids[i].String(), flags[i].Source}
	}
	if err := c.print(allToJSON(flags), "", rows); err != nil {
		return err
	}
	if n < len(ids) {
		return fmt.Errorf("%s had already been %s by somebody else", plural(len(ids)-n, "flag"), past)
	}
	return nil
}

type retractCommand struct {
	Reason string `required:"" help:"Why, for the audit log." placeholder:"TEXT"`
	selection
}

func (r *retractCommand) Run(ctx context.Context, c *cli) error {
	return r.change(ctx, c, false, "retract", "retracted", func(db *matchdb.DB, ids []uuid.UUID) (int, error) {
		return db.RetractAll(ctx, ids, c.As, r.Reason)
	})
}
