package matchdb

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/pdq"
)

// NewAllowed is an innocent picture that uploads are not to be blocked for.
type NewAllowed struct {
	SHA256     string // of the file, hex
	Source     string // where it comes from, such as the decision that blocked it
	Note       string // why
	By         string // who, for the audit log
	Model      string // the fingerprint of the model that made Embeddings
	Embeddings []Embedding
	PDQ        []PDQ
}

// Allowed is one entry of the allow-list.
type Allowed struct {
	ID                     uuid.UUID
	SHA256                 string
	Source, Note           string
	CreatedAt              time.Time
	CreatedBy, CreatedUser string
	Views                  int // embeddings, of all models together
}

// Allow stores the picture as Flag does; a file that is allowed already gets those views that it lacks. Errors wrap
// ErrUnknownModel or ErrInvalid.
func (db *DB) Allow(ctx context.Context, a NewAllowed) (FlagResult, error) {
	sum, err := hex.DecodeString(a.SHA256)
	if err != nil || len(sum) != 32 {
		return FlagResult{}, fmt.Errorf("%w SHA-256 %q: want 64 hexadecimal digits", ErrInvalid, a.SHA256)
	}
	if a.By == "" {
		return FlagResult{}, fmt.Errorf("%w allowed picture: want who allows it", ErrInvalid)
	}
	model, err := db.model(ctx, a.Model)
	if err != nil {
		return FlagResult{}, err
	}
	for _, e := range a.Embeddings {
		if err := model.check(e.Vector, e.Penalty); err != nil {
			return FlagResult{}, fmt.Errorf("view %s: %w", e.View, err)
		}
	}
	var result FlagResult
	err = db.withAudit(ctx, a.By, a.Note, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO allowed_image (sha256, source, note, created_by) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING RETURNING id`, sum, a.Source, a.Note, a.By).Scan(&result.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			result.Existing = true
			err = tx.QueryRow(ctx, "SELECT id FROM allowed_image WHERE sha256 = $1", sum).Scan(&result.ID)
		}
		if err != nil {
			return err
		}
		if result.Added, err = insertAllowedEmbeddings(ctx, tx, model.id, result.ID, a.Embeddings); err != nil {
			return err
		}
		views, hashes, _ := pdqColumns(a.PDQ)
		_, err = tx.Exec(ctx, `INSERT INTO allowed_pdq (image_id, view, hash)
			SELECT $1, e.view, ('x' || e.hash)::bit(256) FROM unnest($2::text[], $3::text[]) AS e (view, hash)
			ON CONFLICT DO NOTHING`, result.ID, views, hashes)
		if err == nil && result.Existing {
			_, err = tx.Exec(ctx, tellAllowedGainedSQL, result.ID)
		}
		return err
	})
	return result, err
}

// tellAllowedGainedSQL is tellGainedSQL of the allowed picture $1.
var tellAllowedGainedSQL = `UPDATE allowed_image i SET note = note WHERE i.id = $1 AND ` + gained("allowed_pdq", "allowed_embedding")

func insertAllowedEmbeddings(ctx context.Context, tx pgx.Tx, model int, image uuid.UUID, embeddings []Embedding) (int, error) {
	views, penalties, vectors := embeddingColumns(embeddings)
	tag, err := tx.Exec(ctx, `INSERT INTO allowed_embedding (model_id, image_id, view, penalty, embedding)
		SELECT $1, $2, e.* FROM unnest($3::text[], $4::real[], $5::halfvec[]) AS e ON CONFLICT DO NOTHING`,
		model, image, views, penalties, vectors)
	return int(tag.RowsAffected()), err
}

// AllowList returns the allowed pictures, the newest first.
func (db *DB) AllowList(ctx context.Context) ([]Allowed, error) {
	rows, err := db.pool.Query(ctx, `SELECT i.id, encode(i.sha256, 'hex'), i.source, i.note, i.created_at, i.created_by, i.created_user,
			(SELECT count(*) FROM allowed_embedding e WHERE e.image_id = i.id)
		FROM allowed_image i ORDER BY i.created_at DESC, i.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Allowed])
}

// RemoveAllowed takes the allowed picture off the list whose id is or begins with id, and returns its id. The audit log
// keeps what it was. Errors wrap ErrNotFound, ErrAmbiguous or ErrInvalid.
func (db *DB) RemoveAllowed(ctx context.Context, id, by, reason string) (uuid.UUID, error) {
	if by == "" || reason == "" {
		return uuid.Nil, fmt.Errorf("%w removal: want who removes and a reason", ErrInvalid)
	}
	low, high, err := idRange(id)
	if err != nil {
		return uuid.Nil, err
	}
	var removed []uuid.UUID
	err = db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "DELETE FROM allowed_image WHERE id BETWEEN $1 AND $2 RETURNING id", low, high)
		if err != nil {
			return err
		}
		removed, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		switch {
		case err != nil:
			return err
		case len(removed) == 0:
			return fmt.Errorf("allowed picture %s: %w: `flagctl allow list` shows all", id, ErrNotFound)
		case len(removed) > 1:
			return fmt.Errorf("allowed picture %s: %w: %d ids begin with it", id, ErrAmbiguous, len(removed))
		}
		return nil
	})
	if err != nil {
		return uuid.Nil, err
	}
	return removed[0], nil
}

// AllowQuery is one view of an upload that a flag is near to.
type AllowQuery struct {
	SHA256 string // of the upload's file, hex
	Query
	PDQ PDQ
}

// AllowHit is the allowed picture that is nearest to a view by one signal.
type AllowHit struct {
	ID         uuid.UUID
	View       string
	Similarity float64
	Score      float64
	Distance   int // in bits of PDQ
}

// NearestAllowed is what the allow-list has near to one view, nil where it has nothing.
type NearestAllowed struct {
	SameFile, Embedding, PDQ *AllowHit
}

// allowSQL takes the model's id and its stored width, literally, which makes the index's expression. Each part looks one neighbour up.
const allowSQL = `
WITH q AS MATERIALIZED (
    SELECT * FROM unnest($1::bytea[], $2::halfvec[], $3::float8[], $4::text[]) WITH ORDINALITY AS q (sha256, v, penalty, hash, ord)
)
SELECT ord - 1, 'file', i.id, 'original', 1::float8, 1::float8, 0 FROM q JOIN allowed_image i USING (sha256)
UNION ALL
SELECT q.ord - 1, 'embedding', e.image_id, e.view, e.score + e.penalty + q.penalty, e.score, 0 FROM q CROSS JOIN LATERAL (
    SELECT image_id, view, penalty, -(embedding::halfvec(%[2]d) <#> q.v) - q.penalty - 1 AS score FROM allowed_embedding
    WHERE model_id = %[1]d ORDER BY embedding::halfvec(%[2]d) <#> q.v LIMIT 1
) e
UNION ALL
SELECT q.ord - 1, 'pdq', e.image_id, e.view, 0, 0, e.distance::int FROM q CROSS JOIN LATERAL (
    SELECT image_id, view, hash <~> ('x' || q.hash)::bit(256) AS distance FROM allowed_pdq
    ORDER BY hash <~> ('x' || q.hash)::bit(256) LIMIT 1
) e WHERE q.hash <> ''`

// NearestAllowed returns for each view the nearest of the allow-list, by each signal. One statement for the whole batch.
// Errors are those of Match.
func (db *DB) NearestAllowed(ctx context.Context, model string, qs []AllowQuery) ([]NearestAllowed, error) {
	nearest := make([]NearestAllowed, len(qs))
	known, err := db.model(ctx, model)
	if err != nil {
		return nil, err
	}
	sums, hashes := make([][]byte, len(qs)), make([]string, len(qs))
	plain := make([]Query, len(qs))
	for i, q := range qs {
		if sums[i], err = hex.DecodeString(q.SHA256); err != nil {
			return nil, fmt.Errorf("%w SHA-256 %q: want 64 hexadecimal digits", ErrInvalid, q.SHA256)
		}
		if plain[i] = q.Query; q.PDQ.Quality >= pdq.MinQuality {
			hashes[i] = q.PDQ.Hash.String()
		}
	}
	vectors, penalties, err := known.queryColumns(plain)
	if err != nil {
		return nil, err
	}
	rows, err := db.matching.Query(ctx, fmt.Sprintf(allowSQL, known.id, known.dims+1), sums, vectors, penalties, hashes)
	if err != nil {
		return nil, fmt.Errorf("look into the allow-list: %w", err)
	}
	var i int
	var signal string
	var h AllowHit
	_, err = pgx.ForEachRow(rows, []any{&i, &signal, &h.ID, &h.View, &h.Similarity, &h.Score, &h.Distance}, func() error {
		hit := h
		switch signal {
		case "file":
			nearest[i].SameFile = &hit
		case "embedding":
			nearest[i].Embedding = &hit
		case "pdq":
			nearest[i].PDQ = &hit
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look into the allow-list: %w", err)
	}
	return nearest, nil
}
