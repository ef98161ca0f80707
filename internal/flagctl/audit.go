package flagctl

import (
	"context"
	"regexp"
	"time"

	"moderator/internal/matchdb"
)

type auditCommand struct {
	Image string `help:"Only changes of this flag or allowed picture: its id, or the id's beginning." placeholder:"ID"`
	By    string `help:"Only changes by this person or database user." placeholder:"NAME"`
	Kind  string `help:"Only changes of this kind: ${audit_kinds}." enum:",${audit_kinds}" default:"" placeholder:"KIND"`
	Since since  `help:"Only changes since then: 12h, 30d, 2026-03-01." placeholder:"WHEN"`
	Limit int    `help:"Most lines, the newest first; 0 is all." default:"100"`
}

func (a *auditCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	changes, err := db.Audit(ctx, matchdb.AuditFilter{Image: a.Image, By: a.By, Kind: a.Kind, Since: a.Since.Time, Limit: a.Limit})
	if err != nil {
		return err
	}
	return c.printChanges(ctx, db, changes, true)
}

// printChanges prints changes in words. ids adds the column of their rows' ids.
func (c *cli) printChanges(ctx context.Context, db *matchdb.DB, changes []matchdb.Change, ids bool) error {
	names, err := db.Names(ctx)
	if err != nil {
		return err
	}
	out, rows, header := make([]changeJSON, len(changes)), make([][]string, len(changes)), "AT\tCHANGE"
	for i, ch := range changes {
		out[i] = changeJSON{ch.At, ch.By, ch.User, what(ch), sentence(ch, names), ch.Table, ch.RowID, ch.Reason, ch.Before, ch.After}
		rows[i] = []string{moment(ch.At), sentence(ch, names)}
		if ids {
			rows[i] = append(rows[i][:1], ch.RowID, rows[i][1])
		}
	}
	if ids {
		header = "AT\tID\tCHANGE"
	}
	return c.print(out, header, rows)
}

// changeJSON is a change in the JSON output of audit and history.
type changeJSON struct {
	At           time.Time      `json:"at"`
	By           string         `json:"by"`
	DatabaseUser string         `json:"database_user"`
	What         string         `json:"what"`
	Text         string         `json:"text"` // all of it, as a sentence
	Table        string         `json:"table"`
	ID           string         `json:"id"`
	Reason       string         `json:"reason"`
	Before       map[string]any `json:"before"`
	After        map[string]any `json:"after"`
}

// removedBank matches the name that a bank has after it is removed.
var removedBank = regexp.MustCompile(`^deleted\.[0-9]+\.`)

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
	case "flagged_image delete":
		return "forgotten"
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
		if before, after := value(ch.Before["name"]), value(ch.After["name"]); before != after {
			return map[bool]string{true: "bank removed", false: "bank renamed"}[removedBank.MatchString(after)]
		}
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
