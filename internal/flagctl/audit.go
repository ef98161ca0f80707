package flagctl

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"moderator/internal/matchdb"
)

type auditCommand struct {
	Image string `help:"Only changes of this flag or allowed picture: its id, or the id's beginning." placeholder:"ID"`
	By    string `help:"Only changes by this person or database user." placeholder:"NAME"`
	Since since  `help:"Only changes since then: 12h, 30d, 2026-03-01." placeholder:"WHEN"`
	Limit int    `help:"Most lines, the newest first; 0 is all." default:"100"`
}

func (a *auditCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	changes, err := db.Audit(ctx, matchdb.AuditFilter{Image: a.Image, By: a.By, Since: a.Since.Time, Limit: a.Limit})
	if err != nil {
		return err
	}
	rows := make([][]string, len(changes))
	for i, ch := range changes {
		rows[i] = []string{moment(ch.At), who(ch), what(ch), ch.RowID, ch.Reason, differences(ch)}
	}
	return c.print(changesToJSON(changes), "AT\tBY\tWHAT\tID\tWHY\tCHANGE", rows)
}

// changeJSON is a change in the JSON output of audit and history.
type changeJSON struct {
	At           time.Time      `json:"at"`
	By           string         `json:"by"`
	DatabaseUser string         `json:"database_user"`
	What         string         `json:"what"`
	Table        string         `json:"table"`
	ID           string         `json:"id"`
	Reason       string         `json:"reason"`
	Before       map[string]any `json:"before"`
	After        map[string]any `json:"after"`
}

func changesToJSON(changes []matchdb.Change) []changeJSON {
	out := make([]changeJSON, len(changes))
	for i, ch := range changes {
		out[i] = changeJSON{ch.At, ch.By, ch.User, what(ch), ch.Table, ch.RowID, ch.Reason, ch.Before, ch.After}
	}
	return out
}

// who returns the person, and the database user where its name differs.
func who(ch matchdb.Change) string {
	if ch.By == "" || ch.By == ch.User {
		return ch.User
	}
	return ch.By + " (" + ch.User + ")"
}

// what returns the change in words.
func what(ch matchdb.Change) string {
	was := func(column string) bool { return ch.Before[column] != nil }
	is := func(column string) bool { return ch.After[column] != nil }
	switch ch.Table + " " + ch.Action {
	case "flagged_image insert":
		return "flagged"
	case "flagged_image update":
		if was("retracted_at") != is("retracted_at") {
			return map[bool]string{true: "retracted", false: "restored"}[is("retracted_at")]
		}
		return "signals added"
	case "quarantine insert":
		return "put in quarantine"
	case "quarantine update":
		return "released from quarantine"
	case "allowed_image insert":
		return "allowed"
	case "allowed_image update":
		return "signals added"
	case "allowed_image delete":
		return "no longer allowed"
	case "bank insert":
		return "bank added"
	case "bank update":
		if ch.Before["enabled"] == ch.After["enabled"] {
			return "bank changed"
		}
		return map[bool]string{true: "bank enabled", false: "bank disabled"}[ch.After["enabled"] == true]
	case "bank_threshold insert", "bank_threshold update":
		return "bank's thresholds set"
	case "bank_threshold delete":
		return "bank's thresholds removed"
	case "model insert":
		return "model registered"
	case "model update":
		return "model's thresholds set"
	}
	return ch.Table + " " + ch.Action
}

// differences lists the changed columns, or the set columns of a new row. It leaves out what other columns of the output show.
func differences(ch matchdb.Change) string {
	columns := ch.After
	if columns == nil {
		columns = ch.Before
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		before, after := ch.Before[name], ch.After[name]
		switch {
		case slices.Contains([]string{"id", "created_at", "created_by", "created_user", "retracted_at", "retracted_by", "retract_reason", "note"}, name),
			ch.After == nil, reflect.DeepEqual(before, after):
		case ch.Before == nil:
			parts = append(parts, fmt.Sprintf("%s %v", name, after))
		default:
			parts = append(parts, fmt.Sprintf("%s %v → %v", name, before, after))
		}
	}
	return strings.Join(parts, ", ")
}
