package flagctl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

type statsCommand struct {
	Since     time.Duration `help:"How far back decisions and days are counted; decisions are kept for --keep-decisions." default:"168h"`
	Unmatched int           `help:"Also list this many flags that no upload has matched since, the oldest first." placeholder:"N"`
}

// counted is the JSON output of stats.
type counted struct {
	Since     time.Time     `json:"since"`
	Uploads   *traffic      `json:"uploads"` // null without a stream of decisions
	Banks     []bankCounted `json:"banks"`
	Models    []modelCount  `json:"models"`
	Growth    []grown       `json:"growth"`
	Unmatched []flagJSON    `json:"unmatched,omitempty"` // since then
}

type bankCounted struct {
	Bank      string `json:"bank"`
	Enabled   bool   `json:"enabled"`
	Flags     int    `json:"flags"`
	Retracted int    `json:"retracted"`
	LastDay   int    `json:"last_day"`
	LastWeek  int    `json:"last_week"`

	// From the decisions since then; null without a stream of decisions.
	Blocked   *int `json:"blocked"`
	Reviewed  *int `json:"reviewed"`
	Unmatched *int `json:"unmatched"`
}

type modelCount struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Embeddings  int    `json:"embeddings"`
}

type grown struct {
	Day       string `json:"day"`
	Flagged   int    `json:"flagged"`
	Retracted int    `json:"retracted"`
}

func (s *statsCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	out := counted{Since: time.Now().Add(-s.Since).UTC().Truncate(time.Second)}
	if out.Uploads, err = c.traffic(ctx, db, out.Since); err != nil {
		return err
	}
	var matched []uuid.UUID
	if out.Uploads != nil {
		for id := range out.Uploads.matched {
			matched = append(matched, id)
		}
	}
	if err := s.count(ctx, db, &out, matched); err != nil {
		return err
	}
	return out.report(c)
}

// count reads the library.
func (s *statsCommand) count(ctx context.Context, db *matchdb.DB, out *counted, matched []uuid.UUID) error {
	banks, err := db.BankStats(ctx, matched)
	if err != nil {
		return err
	}
	for _, b := range banks {
		row := bankCounted{
			Bank: b.Name, Enabled: b.Enabled, Flags: b.Flags, Retracted: b.Retracted, LastDay: b.LastDay, LastWeek: b.LastWeek,
		}
		if out.Uploads != nil {
			stopped := out.Uploads.banks[b.Name]
			row.Blocked, row.Reviewed, row.Unmatched = &stopped.blocked, &stopped.reviewed, &b.Unmatched
		}
		out.Banks = append(out.Banks, row)
	}
	all, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	for _, m := range all.Models {
		out.Models = append(out.Models, modelCount(m))
	}
	days, err := db.Growth(ctx, out.Since)
	if err != nil {
		return err
	}
	for _, d := range days {
		out.Growth = append(out.Growth, grown{d.Day.Format(time.DateOnly), d.Flagged, d.Retracted})
	}
	if s.Unmatched > 0 && out.Uploads != nil {
		flags, err := db.Unmatched(ctx, matched, s.Unmatched)
		if err != nil {
			return err
		}
		out.Unmatched = allToJSON(flags)
	}
	return nil
}

func (out *counted) report(c *cli) error {
	rows := make([][]string, len(out.Banks))
	for i, b := range out.Banks {
		state := "enabled"
		if !b.Enabled {
			state = "disabled"
		}
		rows[i] = []string{b.Bank, state}
		for _, n := range []int{b.Flags, b.Retracted, b.LastDay, b.LastWeek} {
			rows[i] = append(rows[i], strconv.Itoa(n))
		}
		for _, n := range []*int{b.Blocked, b.Reviewed, b.Unmatched} {
			if n == nil {
				rows[i] = append(rows[i], "-")
			} else {
				rows[i] = append(rows[i], strconv.Itoa(*n))
			}
		}
	}
	if err := c.print(out, "BANK\tSTATE\tFLAGS\tRETRACTED\tLAST DAY\tLAST WEEK\tBLOCKED\tREVIEWED\tNOT MATCHED SINCE", rows); err != nil || c.Output == "json" {
		return err
	}
	since := "since " + moment(out.Since)
	if u := out.Uploads; u != nil {
		fmt.Fprintf(c.stdout, "\nuploads %s: %d allowed, %d blocked, %d to review\n\n", since, u.Allowed, u.Blocked, u.Reviewed)
	} else {
		fmt.Fprintf(c.stdout, "\nno decisions to count: the stream %s is missing, or there is no --nats-url\n\n", event.DecisionsStream)
	}
	var models, days, flags [][]string
	for _, m := range out.Models {
		models = append(models, []string{m.Name, m.Fingerprint[:12], strconv.Itoa(m.Embeddings)})
	}
	for _, d := range out.Growth {
		days = append(days, []string{d.Day, strconv.Itoa(d.Flagged), strconv.Itoa(d.Retracted)})
	}
	for _, f := range out.Unmatched {
		flags = append(flags, []string{f.ID, f.Bank, moment(f.FlaggedAt), f.Source})
	}
	err := errors.Join(c.print(nil, "MODEL\tFINGERPRINT\tEMBEDDINGS", models), c.after("DAY\tFLAGGED\tRETRACTED", days),
		c.after("NOT MATCHED SINCE\tBANK\tFLAGGED\tSOURCE", flags))
	return err
}

// after prints another table below an empty line, unless it has no rows.
func (c *cli) after(header string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(c.stdout)
	return c.print(nil, header, rows)
}
