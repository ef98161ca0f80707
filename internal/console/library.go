package console

import (
	"fmt"
	"net/http"
	"time"

	"moderator/internal/matchdb"
)

type libraryPage struct {
	Banks   []matchdb.Bank
	Stats   matchdb.Stats
	Models  []matchdb.Model
	Indexes []matchdb.Index
	Model   string // fingerprint of the model in use
	Changes []change
	Hidden  string // why Changes cannot be shown

	Quarantined []matchdb.Flagged
	May         bool               // the user may change the library
	Reviewers   []matchdb.Reviewer // with May only
}

const (
	reviewersFor = 7 * 24 * time.Hour     // The page names those who reviewed within it.
	together     = 400 * time.Millisecond // Decisions less than this apart were made by one form.
)

// shownChanges is the number of changes on the page.
const shownChanges = 20

// change is one entry of the audit log, for people.
type change struct {
	matchdb.Change
	What string
}

// newChange names the changed row for people.
func newChange(c matchdb.Change) change {
	row := c.After
	if row == nil {
		row = c.Before
	}
	text := func(column string) string { s, _ := row[column].(string); return s }
	switch c.Table {
	case "bank", "model":
		return change{c, text("name")}
	case "review":
		return change{c, text("verdict") + " " + text("upload_id")}
	case "flagged_image", "allowed_image":
		if n, together := row["flags"].(float64); together {
			return change{c, fmt.Sprintf("%.0f flags", n)}
		}
		return change{c, text("source")}
	}
	return change{c, c.RowID}
}

func (c *Console) libraryPage(r *http.Request) (view, error) {
	page := &libraryPage{Model: c.Model}
	v := view{Page: "library", Title: "Library", Data: page}
	var err error
	if page.Banks, err = c.Library.Banks(r.Context(), c.Model); err != nil {
		return v, err
	}
	if page.Stats, err = c.Library.Stats(r.Context()); err != nil {
		return v, err
	}
	if page.Models, err = c.Library.Models(r.Context()); err != nil {
		return v, err
	}
	if page.Indexes, err = c.Library.Indexes(r.Context()); err != nil {
		return v, err
	}
	if page.Quarantined, err = c.Library.ListFlags(r.Context(), matchdb.FlagFilter{Quarantined: true}); err != nil {
		return v, err
	}
	if page.May, err = c.may(r, Curator); err != nil {
		return v, err
	}
	if page.May {
		if page.Reviewers, err = c.Library.Reviewers(r.Context(), reviewersFor, pause, together); err != nil {
			return v, err
		}
	}
	changes, err := c.Library.Audit(r.Context(), matchdb.AuditFilter{Limit: shownChanges})
	if err != nil {
		page.Hidden = err.Error()
	}
	for _, each := range changes {
		page.Changes = append(page.Changes, newChange(each))
	}
	return v, nil
}
