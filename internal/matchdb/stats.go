package matchdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Stats counts what the library holds.
type Stats struct {
	Flags     int // active
	Retracted int
	// Quarantined counts the active flags in quarantine.
	Quarantined int
	Models      []ModelStats
}

// ModelStats counts one model's embeddings.
type ModelStats struct {
	Name, Fingerprint string
	Embeddings        int
}

// Stats counts every row: a second on a library of millions, so not for each scrape of the metrics.
func (db *DB) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := db.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE retracted_at IS NULL), count(retracted_at),
			(SELECT count(*) FROM quarantine q JOIN flagged_image i ON i.id = q.image_id WHERE q.released_at IS NULL AND i.retracted_at IS NULL)
		FROM flagged_image`).Scan(&s.Flags, &s.Retracted, &s.Quarantined)
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

// BankStats counts one bank's flags.
type BankStats struct {
	Name      string
	Enabled   bool
	Flags     int // active
	Retracted int
	LastDay   int // flagged in the last 24 hours, retracted since or not
	LastWeek  int // in the last seven days
	Unmatched int // active, and not among the matched
}

// BankStats counts the flags by bank. matched are the flags that uploads have matched.
func (db *DB) BankStats(ctx context.Context, matched []uuid.UUID) ([]BankStats, error) {
	rows, err := db.pool.Query(ctx, `SELECT b.name, b.enabled, count(i.id) FILTER (WHERE i.retracted_at IS NULL), count(i.retracted_at),
			count(i.id) FILTER (WHERE i.created_at > now() - interval '1 day'),
			count(i.id) FILTER (WHERE i.created_at > now() - interval '7 days'),
			count(i.id) FILTER (WHERE i.retracted_at IS NULL AND m.id IS NULL)
		FROM bank b LEFT JOIN flagged_image i ON i.bank_id = b.id
		LEFT JOIN (SELECT DISTINCT unnest($1::uuid[]) AS id) m ON m.id = i.id
		GROUP BY b.id ORDER BY b.name`, matched)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[BankStats])
}

// Growth is what one day changed.
type Growth struct {
	Day                time.Time // its beginning, UTC
	Flagged, Retracted int
}

// Growth returns the days since then that changed anything, the oldest first.
func (db *DB) Growth(ctx context.Context, since time.Time) ([]Growth, error) {
	rows, err := db.pool.Query(ctx, `SELECT day, sum(flagged)::int, sum(retracted)::int FROM (
			SELECT date_trunc('day', created_at, 'UTC') AS day, 1 AS flagged, 0 AS retracted FROM flagged_image WHERE created_at >= $1
			UNION ALL
			SELECT date_trunc('day', retracted_at, 'UTC'), 0, 1 FROM flagged_image WHERE retracted_at >= $1
		) change GROUP BY day ORDER BY day`, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Growth, error) {
		g, err := pgx.RowToStructByPos[Growth](row)
		g.Day = g.Day.UTC()
		return g, err
	})
}

// Released counts the uploads that a person has allowed since then, of those that had to be reviewed.
func (db *DB) Released(ctx context.Context, since time.Time) (n uint64, err error) {
	err = db.pool.QueryRow(ctx, "SELECT count(*) FROM review WHERE verdict = 'allow' AND reviewed_at >= $1", since).Scan(&n)
	return n, err
}

// Unmatched returns at most limit active flags that are not among the matched, the oldest first: those that have had the
// longest time.
func (db *DB) Unmatched(ctx context.Context, matched []uuid.UUID, limit int) ([]Flagged, error) {
	rows, err := db.pool.Query(ctx, "SELECT "+flaggedColumns+`
		WHERE i.retracted_at IS NULL AND NOT EXISTS (SELECT FROM unnest($1::uuid[]) AS m (id) WHERE m.id = i.id)
		ORDER BY i.number LIMIT $2`, matched, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFlagged)
}
