package matchdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/pdq"
)

// Content is an active flag as HMA's clients know it. The stream does not look at BankRatio and DisableUntil.
type Content struct {
	Number       int64 // positive, unique in the library, never reused
	Flag         uuid.UUID
	Bank         string
	BankRatio    float64 // see RatedBank
	DisableUntil int64   // 0: off; 1: on; else on from then, in seconds since 1970
	Source, Note string
	Metadata     json.RawMessage // nil: none
}

// EnabledAt reports whether look-ups find the content.
func (c Content) EnabledAt(now time.Time) bool {
	return c.DisableUntil != 0 && c.DisableUntil <= now.Unix()
}

const contentSQL = `SELECT i.number, i.id, b.name, CASE WHEN b.enabled THEN b.enabled_ratio ELSE 0 END, i.disable_until, i.source, i.note, i.metadata
	FROM flagged_image i JOIN bank b ON b.id = i.bank_id WHERE i.retracted_at IS NULL AND `

// ContentOf returns a bank's content, or an error that wraps ErrNotFound.
func (db *DB) ContentOf(ctx context.Context, bank string, number int64) (Content, error) {
	found, err := db.contents(ctx, "b.name = $1 AND i.number = $2", bank, number)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("content %d of bank %s: %w", number, bank, ErrNotFound)
	}
	if err != nil {
		return Content{}, err
	}
	return found[0], nil
}

// Contents returns the flags that are active.
func (db *DB) Contents(ctx context.Context, flags []uuid.UUID) ([]Content, error) {
	return db.contents(ctx, "i.id = ANY ($1)", flags)
}

func (db *DB) contents(ctx context.Context, condition string, args ...any) ([]Content, error) {
	rows, err := db.pool.Query(ctx, contentSQL+condition, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Content])
}

// ContentSignals are what a flag is found by; each is nil or "" where it has none.
type ContentSignals struct {
	PDQ    *pdq.Hash
	MD5    string    // hex, of a flag whose SHA-256 and SHA-1 are not known
	Vector []float32 // of the model; L2-normalised
}

// SignalsOf returns the signals of the flag's original view.
func (db *DB) SignalsOf(ctx context.Context, flag uuid.UUID, model string) (ContentSignals, error) {
	known, err := db.model(ctx, model)
	if err != nil && !errors.Is(err, ErrUnknownModel) {
		return ContentSignals{}, err
	}
	var hash pgtype.Bits
	var vector *pgvector.HalfVector
	var s ContentSignals
	err = db.pool.QueryRow(ctx, `SELECT p.hash, e.embedding, coalesce(CASE WHEN i.sha256 IS NULL AND i.sha1 IS NULL THEN encode(i.md5, 'hex') END, '') FROM flagged_image i
		LEFT JOIN flagged_pdq p ON p.image_id = i.id AND p.view = 'original'
		LEFT JOIN flagged_embedding e ON e.image_id = i.id AND e.view = 'original' AND e.model_id = $2
		WHERE i.id = $1`, flag, known.id).Scan(&hash, &vector, &s.MD5)
	if err != nil {
		return s, err
	}
	if hash.Valid {
		h := pdq.Hash(hash.Bytes)
		s.PDQ = &h
	}
	if vector != nil {
		s.Vector = vector.Slice()[:known.dims]
	}
	return s, nil
}

// ContentChange has what to change, nil what to keep.
type ContentChange struct {
	DisableUntil *int64
	Note         *string
}

// ChangeContent changes a bank's content. The error wraps ErrNotFound where it is not there.
func (db *DB) ChangeContent(ctx context.Context, bank string, number int64, c ContentChange, by, reason string) error {
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE flagged_image i SET disable_until = coalesce($3, disable_until), note = coalesce($4, note)
			FROM bank b WHERE b.id = i.bank_id AND b.name = $1 AND i.number = $2 AND i.retracted_at IS NULL`, bank, number, c.DisableUntil, c.Note)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("content %d of bank %s: %w", number, bank, ErrNotFound)
		}
		return err
	})
}

// RetractContent retracts the flag of any bank and reports whether it was active.
func (db *DB) RetractContent(ctx context.Context, number int64, by, reason string) (retracted bool, err error) {
	err = db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE flagged_image SET retracted_at = now(), retracted_by = $2, retract_reason = $3
			WHERE number = $1 AND retracted_at IS NULL`, number, by, reason)
		retracted = tag.RowsAffected() > 0
		return err
	})
	return retracted, err
}

// SignalCounts are how many signals of active flags there are, and when the newest flag was made (Unix seconds, 0 for none).
type SignalCounts struct{ PDQ, MD5, Embeddings, Newest int64 }

// CountSignals counts in Postgres, which reads whole tables.
func (db *DB) CountSignals(ctx context.Context, model string) (c SignalCounts, err error) {
	err = db.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM flagged_pdq),
		(SELECT count(*) FROM flagged_image WHERE sha256 IS NULL AND sha1 IS NULL AND md5 IS NOT NULL AND retracted_at IS NULL),
		(SELECT count(*) FROM flagged_embedding e JOIN model m ON m.id = e.model_id WHERE m.fingerprint = $1),
		coalesce((SELECT floor(extract(epoch FROM created_at)) FROM flagged_image ORDER BY number DESC LIMIT 1), 0)::bigint`, model).
		Scan(&c.PDQ, &c.MD5, &c.Embeddings, &c.Newest)
	return c, err
}

// NearestAllowedPDQ returns in how many bits the nearest PDQ hash of the allow-list differs; not found where it has none.
func (db *DB) NearestAllowedPDQ(ctx context.Context, hash pdq.Hash) (distance int, found bool, err error) {
	var nearest *int
	err = db.matching.QueryRow(ctx, `SELECT (SELECT (hash <~> ('x' || $1)::bit(256))::int FROM allowed_pdq
		ORDER BY hash <~> ('x' || $1)::bit(256) LIMIT 1)`, hash.String()).Scan(&nearest)
	if err != nil || nearest == nil {
		return 0, false, err
	}
	return *nearest, true, nil
}
