package matchdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reviewer is what a person has reviewed in a time.
type Reviewer struct {
	By                          string
	Decided, Blocked, TakenBack int
	Median                      *time.Duration // between two decisions of a stint, one by one; nil without any
}

// Reviewers returns who has reviewed in the last age, the busiest first. A stint ends with a pause. Decisions less than together
// apart were made at once.
func (db *DB) Reviewers(ctx context.Context, age, pause, together time.Duration) ([]Reviewer, error) {
	rows, err := db.pool.Query(ctx, `WITH r AS (SELECT reviewed_by, verdict, taken_back_at,
			reviewed_at - lag(reviewed_at) OVER (PARTITION BY reviewed_by ORDER BY reviewed_at) AS gap FROM review WHERE reviewed_at > now() - $1::interval)
		SELECT reviewed_by, count(*), count(*) FILTER (WHERE verdict = 'block'), count(taken_back_at),
			percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FILTER (WHERE gap BETWEEN $3 AND $2)
		FROM r GROUP BY reviewed_by ORDER BY 2 DESC, 1`, age, pause, together)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Reviewer])
}
