package matchdb

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Stats counts what the library holds.
type Stats struct {
	Flags     int // active
	Retracted int
	Models    []ModelStats
}

// ModelStats counts one model's embeddings.
type ModelStats struct {
	Name, Fingerprint string
	Embeddings        int
}

// Stats counts every row: a second on a library of millions, so not for each scrape of the metrics.
func (db *DB) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := db.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE retracted_at IS NULL), count(retracted_at) FROM flagged_image`).
		Scan(&s.Flags, &s.Retracted)
	if err != nil {
		return s, err
	}
	rows, err := db.pool.Query(ctx, `SELECT name, fingerprint, (SELECT count(*) FROM flagged_embedding WHERE model_id = m.id)
		FROM model m ORDER BY id`)
	if err != nil {
		return s, err
	}
	s.Models, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ModelStats])
	return s, err
}
