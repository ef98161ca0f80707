package matchdb

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Change is one entry of the audit log.
type Change struct {
	At     time.Time
	By     string // the person, "" where the program named none
	User   string // of the database
	Reason string
	Action string // insert, update or delete
	Table  string
	RowID  string // a threshold's is its bank's; of flags that were inserted together it is their transaction's number
	// Before and After are the row, nil where there was none: columns by name. After flags were inserted together it has their bank_id, and
	// how many these are as flags.
	Before, After map[string]any
}

// AuditFilter says which changes to list; the zero value is all.
type AuditFilter struct {
	Image string    // of this flag or allowed picture: its id, or the beginning of it
	By    string    // by this person or database user
	Kind  string    // one of AuditKinds, "" is any
	Since time.Time // not before
	Limit int       // the newest so many; 0 is all
}

// auditKinds are the conditions of the kinds of changes.
var auditKinds = map[string]string{
	"":            "true",
	"flagged":     "table_name = 'flagged_image' AND action = 'insert'",
	"retracted":   "table_name = 'flagged_image' AND action = 'update' AND before ->> 'retracted_at' IS NULL AND after ->> 'retracted_at' IS NOT NULL",
	"restored":    "table_name = 'flagged_image' AND action = 'update' AND before ->> 'retracted_at' IS NOT NULL AND after ->> 'retracted_at' IS NULL",
	"quarantined": "table_name = 'quarantine'",
	"allowed":     "table_name = 'allowed_image'",
	"bank":        "table_name IN ('bank', 'bank_threshold')",
	"model":       "table_name = 'model'",
	"reviewed":    "table_name = 'review'",
	"exchange":    "table_name = 'exchange'",
}

// AuditKinds returns the kinds of changes that a filter may name.
func AuditKinds() []string {
	kinds := slices.Sorted(maps.Keys(auditKinds))
	return kinds[1:] // without ""
}

// changesSQL are the lines of the audit log. Flags with ids from $1 to $2 that were inserted together with others have a line each too,
// made from the flag, or from the line that says that it was forgotten: a flag keeps what it was inserted with but its note and
// disable_until, whose changes have lines of their own.
const changesSQL = `WITH flag AS (
		SELECT to_jsonb(i) - CASE WHEN exchanged THEN '{sha256,sha1,md5,signal_key}'::text[] ELSE '{}' END AS row FROM flagged_image i WHERE id BETWEEN $1::uuid AND $2::uuid
		UNION ALL SELECT before FROM audit_log WHERE table_name = 'flagged_image' AND action = 'delete' AND row_id BETWEEN $1::text AND $2::text
	), change AS (
		SELECT id, at, actor, db_user, reason, action, table_name, row_id, before, after FROM audit_log
		UNION ALL
		SELECT id, at, actor, db_user, reason, action, table_name, row ->> 'id', before, row - '{retracted_at,retracted_by,retract_reason}'::text[]
		FROM flag JOIN audit_log a ON table_name = 'flagged_image' AND row_id = 'transaction ' || (row ->> 'added') AND after -> 'bank_id' = row -> 'bank_id'
			AND (after ->> 'created_at')::timestamptz = (row ->> 'created_at')::timestamptz
	) SELECT at, coalesce(actor, ''), db_user, coalesce(reason, ''), action, table_name, row_id, before, after FROM change`

func scanChange(row pgx.CollectableRow) (Change, error) {
	var c Change
	var before, after []byte
	err := row.Scan(&c.At, &c.By, &c.User, &c.Reason, &c.Action, &c.Table, &c.RowID, &before, &after)
	for column, text := range map[*map[string]any][]byte{&c.Before: before, &c.After: after} {
		if err == nil && text != nil {
			err = json.Unmarshal(text, column)
		}
	}
	return c, err
}

// Audit returns the changes that the filter lets through, the newest first. Readers may not: their error says so.
func (db *DB) Audit(ctx context.Context, f AuditFilter) ([]Change, error) {
	var low, high uuid.UUID
	if f.Image != "" {
		var err error
		if low, high, err = idRange(f.Image); err != nil {
			return nil, err
		}
	}
	kind, known := auditKinds[f.Kind]
	if !known {
		return nil, fmt.Errorf("%w kind of changes %.80q: want one of %s", ErrInvalid, f.Kind, strings.Join(AuditKinds(), ", "))
	}
	rows, err := db.pool.Query(ctx, changesSQL+`
		WHERE `+kind+` AND ($3 OR table_name IN ('flagged_image', 'allowed_image', 'quarantine') AND row_id BETWEEN $1::text AND $2::text)
		  AND ($4 = '' OR actor = $4 OR db_user = $4) AND at >= $5
		ORDER BY id DESC LIMIT nullif($6, 0)`, low.String(), high.String(), f.Image == "", f.By, f.Since, f.Limit)
	return changes(rows, err)
}

// History returns the life of the flag or allowed picture that id names, the oldest change first: its own changes, and
// since it was there those of its bank and thresholds, and of the models' thresholds. Errors wrap ErrNotFound,
// ErrAmbiguous or ErrInvalid.
func (db *DB) History(ctx context.Context, id string) ([]Change, error) {
	own, err := db.Audit(ctx, AuditFilter{Image: id})
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("flag %s: %w: `flagctl list --retracted` shows all, `flagctl allow list` what is allowed", id, ErrNotFound)
	}
	for _, c := range own {
		if c.RowID != own[0].RowID {
			return nil, fmt.Errorf("flag %s: %w: %s and %s begin with it", id, ErrAmbiguous, own[0].RowID, c.RowID)
		}
	}
	bank := ""
	if first := own[len(own)-1]; first.Table == "flagged_image" {
		row := first.After
		if row == nil {
			row = first.Before
		}
		bank = fmt.Sprint(row["bank_id"])
	}
	rows, err := db.pool.Query(ctx, changesSQL+`
		WHERE table_name IN ('flagged_image', 'allowed_image', 'quarantine') AND row_id BETWEEN $1::text AND $2::text
		   OR $3 <> '' AND at >= $4 AND (table_name IN ('bank', 'bank_threshold') AND row_id = $3 OR table_name = 'model' AND action = 'update')
		ORDER BY id`, own[0].RowID, own[0].RowID, bank, own[len(own)-1].At)
	return changes(rows, err)
}

func changes(rows pgx.Rows, err error) ([]Change, error) {
	if err == nil {
		var all []Change
		all, err = pgx.CollectRows(rows, scanChange)
		if err == nil {
			return all, nil
		}
	}
	if pgCode(err) == insufficientPrivilege {
		return nil, fmt.Errorf("the audit log is not for this database user: have moderator_curator granted to it: %w", err)
	}
	return nil, err
}

// Names are what people call the rows that the audit log knows by number.
type Names struct{ Banks, Models map[int]string }

// Names returns the names of banks and models as they are now.
func (db *DB) Names(ctx context.Context) (n Names, err error) {
	n = Names{map[int]string{}, map[int]string{}}
	for table, names := range map[string]map[int]string{"bank": n.Banks, "model": n.Models} {
		rows, err := db.pool.Query(ctx, "SELECT id, name FROM "+table)
		if err != nil {
			return n, err
		}
		var id int
		var name string
		if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error { names[id] = name; return nil }); err != nil {
			return n, err
		}
	}
	return n, nil
}
