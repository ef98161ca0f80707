package matchdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Unembedded is an active flag, or an allowed picture, that lacks views by a model.
type Unembedded struct {
	ID      uuid.UUID
	Allowed bool   // it is on the allow-list, else it is a flag
	SHA256  string // of the file, hex; "" where it is not known
	Before  bool   // another model has embedded it
}

// Coverage is how far a model has embedded the library.
type Coverage struct {
	Flags, Allowed int          // pictures that have all views
	Lacking        []Unembedded // the others
}

// Coverage returns the pictures that lack any of the views by the model, and counts those that have them all. What has
// nothing to see, or is known by its hashes alone, lacks them too.
func (db *DB) Coverage(ctx context.Context, model string, views []string) (c Coverage, err error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return c, err
	}
	lacking := func(embeddings string) string {
		return fmt.Sprintf(`NOT ARRAY(SELECT view FROM %[1]s e WHERE e.image_id = i.id AND e.model_id = $1) @> $2::text[]`, embeddings)
	}
	before := func(embeddings string) string {
		return fmt.Sprintf(`EXISTS (SELECT FROM %[1]s o WHERE o.image_id = i.id AND o.model_id <> $1)`, embeddings)
	}
	rows, err := db.pool.Query(ctx, `
		SELECT i.id, false, coalesce(encode(i.sha256, 'hex'), ''), `+before("flagged_embedding")+`
		FROM flagged_image i WHERE i.retracted_at IS NULL AND `+lacking("flagged_embedding")+`
		UNION ALL
		SELECT i.id, true, encode(i.sha256, 'hex'), `+before("allowed_embedding")+`
		FROM allowed_image i WHERE `+lacking("allowed_embedding"), known.id, views)
	if err != nil {
		return c, err
	}
	if c.Lacking, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Unembedded]); err != nil {
		return c, err
	}
	err = db.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM flagged_image WHERE retracted_at IS NULL), (SELECT count(*) FROM allowed_image)`).
		Scan(&c.Flags, &c.Allowed)
	for _, u := range c.Lacking {
		if u.Allowed {
			c.Allowed--
		} else {
			c.Flags--
		}
	}
	return c, err
}

// MoreEmbeddings are views of a picture that is flagged or allowed already, by another model than before.
type MoreEmbeddings struct {
	Unembedded
	Model      string // the fingerprint of the model that made Embeddings
	Embeddings []Embedding
	By, Why    string // for the audit log
}

// AddEmbeddings stores those views that are missing, and has the audit log say so. Errors wrap ErrInvalid,
// ErrUnknownModel, or ErrNotFound, where the flag was retracted or the picture taken off the allow-list meanwhile.
func (db *DB) AddEmbeddings(ctx context.Context, m MoreEmbeddings) error {
	model, err := db.model(ctx, m.Model)
	if err != nil {
		return err
	}
	if m.By == "" {
		return fmt.Errorf("%w embeddings: want who adds them", ErrInvalid)
	}
	for _, e := range m.Embeddings {
		if err := model.check(e.Vector, e.Penalty); err != nil {
			return fmt.Errorf("view %s: %w", e.View, err)
		}
	}
	return db.withAudit(ctx, m.By, m.Why, func(tx pgx.Tx) error {
		if m.Allowed {
			_, err := insertAllowedEmbeddings(ctx, tx, model.id, m.ID, m.Embeddings)
			if pgCode(err) == foreignKeyViolation {
				return fmt.Errorf("allowed picture %s: %w", m.ID, ErrNotFound)
			}
			if err == nil {
				_, err = tx.Exec(ctx, tellAllowedGainedSQL, m.ID)
			}
			return err
		}
		// It changes nothing of the flag: it keeps it from being retracted until the end, and makes the line in the audit log.
		var bank int
		err := tx.QueryRow(ctx, `UPDATE flagged_image SET retract_reason = retract_reason WHERE id = $1 AND retracted_at IS NULL
			RETURNING bank_id`, m.ID).Scan(&bank)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("flag %s: %w", m.ID, ErrNotFound)
		}
		if err == nil {
			_, err = insertEmbeddings(ctx, tx, model.id, bank, m.ID, m.Embeddings)
		}
		return err
	})
}

const foreignKeyViolation = "23503"
