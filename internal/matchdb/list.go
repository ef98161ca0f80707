package matchdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Flagged is one flag. The last three are zero until it is retracted.
type Flagged struct {
	ID                uuid.UUID
	Bank              string
	SHA256, SHA1, MD5 string // hex, "" where they are not known
	Source            string
	Note              string
	CreatedAt         time.Time
	CreatedBy         string // the person
	CreatedUser       string // the database user
	Views             int    // embeddings, of all models together
	RetractedAt       *time.Time
	RetractedBy       string
	RetractReason     string

	Quarantine *Quarantine // nil: not in quarantine, or released

	Embeddings []EmbeddedView // by Show only
}

// EmbeddedView is a view of a flag that the library holds a vector of.
type EmbeddedView struct {
	View        string
	Model       string // its name
	Fingerprint string
}

// FlagFilter says which flags to list; the zero value is every active one.
type FlagFilter struct {
	Bank         string    // only this one
	Source, Note string    // somewhere in the text, whatever its case
	By           string    // flagged by this person or database user
	Since        time.Time // flagged, not before
	Retracted    bool      // also those that were retracted
	// Quarantined lets only flags in quarantine through.
	Quarantined bool
	After       uuid.UUID // only flags behind this one in the list; zero is from its beginning
	Limit       int       // at most so many; 0 is all
}

const flaggedColumns = `i.id, b.name, coalesce(encode(i.sha256, 'hex'), ''), coalesce(encode(i.sha1, 'hex'), ''), coalesce(encode(i.md5, 'hex'), ''), i.source, i.note, i.created_at, i.created_by, i.created_user,
	(SELECT count(*) FROM flagged_embedding e WHERE e.image_id = i.id),
	i.retracted_at, coalesce(i.retracted_by, ''), coalesce(i.retract_reason, ''), q.quarantined_at, q.blocked
	FROM ` + flagsFrom

func scanFlagged(row pgx.CollectableRow) (Flagged, error) {
	var f Flagged
	var since *time.Time
	var blocked *int
	err := row.Scan(&f.ID, &f.Bank, &f.SHA256, &f.SHA1, &f.MD5, &f.Source, &f.Note, &f.CreatedAt, &f.CreatedBy, &f.CreatedUser,
		&f.Views, &f.RetractedAt, &f.RetractedBy, &f.RetractReason, &since, &blocked)
	if since != nil {
		f.Quarantine = &Quarantine{*since, *blocked}
	}
	return f, err
}

// flagsFrom is what the list and its count read, and flagsWhere is the filter by the arguments of FlagFilter.arguments.
const (
	flagsFrom = `flagged_image i JOIN bank b ON b.id = i.bank_id LEFT JOIN quarantine q ON q.image_id = i.id AND q.released_at IS NULL`

	flagsWhere = ` WHERE ($1 = '' OR b.name = $1) AND ($2 OR i.retracted_at IS NULL) AND (NOT $3 OR q.image_id IS NOT NULL)
		AND ($4 = '' OR i.source ILIKE $4) AND ($5 = '' OR i.note ILIKE $5) AND ($6 = '' OR i.created_by = $6 OR i.created_user = $6) AND i.created_at >= $7`
)

func (f FlagFilter) arguments() []any {
	return []any{f.Bank, f.Retracted, f.Quarantined, somewhere(f.Source), somewhere(f.Note), f.By, f.Since}
}

// ListFlags returns the flags that the filter lets through, the newest first. The error of a bank that is
// not there wraps ErrUnknownBank.
func (db *DB) ListFlags(ctx context.Context, filter FlagFilter) ([]Flagged, error) {
	if filter.Bank != "" {
		if _, err := db.Bank(ctx, filter.Bank); err != nil {
			return nil, err
		}
	}
	rows, err := db.pool.Query(ctx, "SELECT "+flaggedColumns+flagsWhere+`
		AND ($8 OR i.number < (SELECT number FROM flagged_image WHERE id = $9))
		ORDER BY i.number DESC LIMIT nullif($10, 0)`,
		append(filter.arguments(), filter.After == uuid.UUID{}, filter.After, filter.Limit)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFlagged)
}

// CountFlags returns how many flags the filter lets through, whatever its After and Limit.
func (db *DB) CountFlags(ctx context.Context, filter FlagFilter) (n int, err error) {
	err = db.pool.QueryRow(ctx, "SELECT count(*) FROM "+flagsFrom+flagsWhere, filter.arguments()...).Scan(&n)
	return n, err
}

// Show returns the flag, retracted or not, whose id is or begins with id, with its embeddings. Errors wrap ErrNotFound or
// ErrAmbiguous.
func (db *DB) Show(ctx context.Context, id string) (Flagged, error) {
	low, high, err := idRange(id)
	if err != nil {
		return Flagged{}, err
	}
	rows, err := db.pool.Query(ctx, "SELECT "+flaggedColumns+" WHERE i.id BETWEEN $1 AND $2 ORDER BY i.id LIMIT 2", low, high)
	if err != nil {
		return Flagged{}, err
	}
	found, err := pgx.CollectRows(rows, scanFlagged)
	if err != nil {
		return Flagged{}, err
	}
	switch len(found) {
	case 0:
		return Flagged{}, fmt.Errorf("flag %s: %w: `flagctl list --retracted` shows all", id, ErrNotFound)
	case 2:
		return Flagged{}, fmt.Errorf("flag %s: %w: %s and %s begin with it", id, ErrAmbiguous, found[0].ID, found[1].ID)
	}
	flag := found[0]
	rows, err = db.pool.Query(ctx, `SELECT e.view, m.name, m.fingerprint FROM flagged_embedding e JOIN model m ON m.id = e.model_id
		WHERE e.image_id = $1 ORDER BY m.id, e.view`, flag.ID)
	if err != nil {
		return Flagged{}, err
	}
	flag.Embeddings, err = pgx.CollectRows(rows, pgx.RowToStructByPos[EmbeddedView])
	return flag, err
}

// idRange returns the first and the last uuid that begin with the digits of prefix, whose dashes may be left out.
func idRange(prefix string) (low, high uuid.UUID, err error) {
	digits := strings.ReplaceAll(prefix, "-", "")
	missing := 32 - len(digits)
	if digits == "" || missing < 0 {
		return low, high, fmt.Errorf("%w id %q: want a flag's id or the beginning of it", ErrInvalid, prefix)
	}
	low, err = uuid.Parse(digits + strings.Repeat("0", missing))
	if err != nil {
		return low, high, fmt.Errorf("%w id %q: want a flag's id or the beginning of it", ErrInvalid, prefix)
	}
	high, err = uuid.Parse(digits + strings.Repeat("f", missing))
	return low, high, err
}
