package matchdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Selection finds flags to retract or to restore; an empty field lets every flag through.
type Selection struct {
	Bank         string
	Source, Note string    // somewhere in the text, whatever its case
	Since        time.Time // flagged, or to be restored retracted, not before
}

// Empty reports whether the selection would take every flag of the library.
func (s Selection) Empty() bool { return s == Selection{} }

// Select returns the flags that the selection finds: active ones, or retracted ones, the newest first. The error of a bank
// that is not there wraps ErrUnknownBank.
func (db *DB) Select(ctx context.Context, s Selection, retracted bool) ([]Flagged, error) {
	if s.Bank != "" {
		if _, err := db.Bank(ctx, s.Bank); err != nil {
			return nil, err
		}
	}
	rows, err := db.pool.Query(ctx, "SELECT "+flaggedColumns+`
		WHERE ($1 = '' OR b.name = $1) AND ($2 = '' OR i.source ILIKE $2) AND ($3 = '' OR i.note ILIKE $3)
		  AND (i.retracted_at IS NOT NULL) = $5 AND coalesce(i.retracted_at, i.created_at) >= $4
		ORDER BY i.number DESC`, s.Bank, somewhere(s.Source), somewhere(s.Note), s.Since, retracted)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFlagged)
}

// somewhere is the ILIKE pattern of a text that stands anywhere, "" of none.
func somewhere(text string) string {
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// RetractAll takes those of the flags back that are active, in one transaction, and returns how many those were.
func (db *DB) RetractAll(ctx context.Context, ids []uuid.UUID, by, reason string) (int, error) {
	if by == "" || reason == "" {
		return 0, fmt.Errorf("%w retraction: want who retracts and a reason", ErrInvalid)
	}
	var n int
	err := db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE flagged_image SET retracted_at = now(), retracted_by = $2, retract_reason = $3
			WHERE id = ANY ($1) AND retracted_at IS NULL`, ids, by, reason)
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}

// Restore undoes the retraction of the flag that id names, as Show takes it, and returns it: it matches again, by all that
// it matched by. Errors wrap ErrNotFound, ErrAmbiguous, ErrActive, or ErrExists where its picture was flagged anew.
func (db *DB) Restore(ctx context.Context, id, by, reason string) (Flagged, error) {
	flag, err := db.Show(ctx, id)
	if err != nil {
		return Flagged{}, err
	}
	n, err := db.RestoreAll(ctx, []uuid.UUID{flag.ID}, by, reason)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", flag.ID, ErrActive)
	}
	if err != nil {
		return Flagged{}, err
	}
	return db.Show(ctx, flag.ID.String())
}

// ErrActive is what restoring a flag wraps that is not retracted.
var ErrActive = errors.New("not retracted")

// RestoreAll restores those of the flags that are retracted, all of them or none, and returns how many those were. The
// error wraps ErrExists where the picture of one was flagged anew in its bank.
func (db *DB) RestoreAll(ctx context.Context, ids []uuid.UUID, by, reason string) (int, error) {
	if by == "" || reason == "" {
		return 0, fmt.Errorf("%w restoring: want who restores and a reason", ErrInvalid)
	}
	var n int
	err := db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE flagged_image SET retracted_at = NULL, retracted_by = NULL, retract_reason = NULL
			WHERE id = ANY ($1) AND retracted_at IS NOT NULL`, ids)
		n = int(tag.RowsAffected())
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == uniqueViolation {
		return 0, fmt.Errorf("the picture was flagged anew since it was retracted: %w: retract that flag first, or leave it at that: %s", ErrExists, pg.Detail)
	}
	return n, err
}

// FileOnly returns those of the flags of a file that nothing leads to but the file itself: their picture is flat, or they
// were retracted when embeddings and hashes were still deleted, or these were forgotten since.
func (db *DB) FileOnly(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	rows, err := db.pool.Query(ctx, `SELECT id FROM flagged_image i WHERE id = ANY ($1) AND sha256 IS NOT NULL
		AND NOT EXISTS (SELECT FROM flagged_embedding WHERE image_id = i.id)
		AND NOT EXISTS (SELECT FROM flagged_pdq WHERE image_id = i.id) ORDER BY id`, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

const uniqueViolation = "23505"
