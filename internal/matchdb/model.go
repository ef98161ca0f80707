package matchdb

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
)

// Model is an embedding model as the library knows it. BlockAt and ReviewAt are its calibrated thresholds of the score,
// ReviewAt at most BlockAt; +Inf is "never".
type Model struct {
	Name, Fingerprint string
	Dims              int
	BlockAt, ReviewAt float64
}

// registered is what Match needs of a model, none of which ever changes.
type registered struct {
	id, dims int
}

// RegisterModel makes the model known, with the partition of its embeddings and the index of the allow-list's. One that is known
// keeps the thresholds that it has; other dimensions than its own are an error. Safe to call at any time, also concurrently.
func (db *DB) RegisterModel(ctx context.Context, m Model) error {
	return db.RegisterModelAs(ctx, m, "", "")
}

// RegisterModelAs is RegisterModel for a person; who and why is for the audit log.
func (db *DB) RegisterModelAs(ctx context.Context, m Model, by, reason string) error {
	if len(m.Fingerprint) != 64 || m.Dims < 1 || m.Dims > 3999 || math.IsNaN(m.BlockAt) || !(m.ReviewAt <= m.BlockAt) {
		return fmt.Errorf("%w model %+v: want a SHA-256 as fingerprint, 1 to 3999 dimensions and review_at <= block_at", ErrInvalid, m)
	}
	if known, err := db.model(ctx, m.Fingerprint); err == nil && known.dims == m.Dims {
		return nil
	}
	err := db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT register_model($1, $2, $3, $4, $5)", m.Fingerprint, m.Name, m.Dims, m.BlockAt, m.ReviewAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("register model %s: %w", m.Name, err)
	}
	return nil
}

// Models returns the registered models, the oldest first.
func (db *DB) Models(ctx context.Context) ([]Model, error) {
	rows, err := db.pool.Query(ctx, "SELECT name, fingerprint, dims, block_at, review_at FROM model ORDER BY id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Model])
}

// model looks a model up, in the database until it is registered. The error wraps ErrUnknownModel.
func (db *DB) model(ctx context.Context, fingerprint string) (registered, error) {
	if known, ok := db.models.Load(fingerprint); ok {
		return known.(registered), nil
	}
	var r registered
	err := db.pool.QueryRow(ctx, "SELECT id, dims FROM model WHERE fingerprint = $1", fingerprint).Scan(&r.id, &r.dims)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, unknownModel(fingerprint)
	}
	if err != nil {
		return r, err
	}
	db.models.Store(fingerprint, r)
	return r, nil
}

// check reports a vector that must never be stored or compared: of another width, not finite, not of length 1.
func (r registered) check(vector []float32, penalty float32) error {
	if len(vector) != r.dims {
		return fmt.Errorf("%w vector: it has %d dimensions, the model has %d", ErrInvalid, len(vector), r.dims)
	}
	var square float64
	for _, x := range vector {
		square += float64(x) * float64(x)
	}
	// A NaN or an infinity anywhere fails this too.
	if !(math.Abs(math.Sqrt(square)-1) <= 0.01) {
		return fmt.Errorf("%w vector: its length is %g, want 1", ErrInvalid, math.Sqrt(square))
	}
	if h := float64(penalty); math.IsNaN(h) || math.Abs(h) > 1 {
		return fmt.Errorf("%w background penalty %g: want half of the mean of inner products, within [-1, 1]", ErrInvalid, penalty)
	}
	return nil
}
