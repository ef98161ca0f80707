package matchdb

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Stint is the time for which a person has reviewed without a pause.
type Stint struct {
	Length           time.Duration
	Decided, Blocked int
}

// Stint returns the person's current stint, at most a day long. It ends with a pause without a review: then Stint returns zero.
func (db *DB) Stint(ctx context.Context, by string, pause time.Duration) (Stint, error) {
	var s Stint
	err := db.pool.QueryRow(ctx, `WITH r AS (SELECT reviewed_at, verdict, reviewed_at - lag(reviewed_at) OVER (ORDER BY reviewed_at) AS gap
			FROM review WHERE reviewed_by = $1 AND reviewed_at > now() - interval '1 day')
		SELECT now() - min(reviewed_at), count(*), count(*) FILTER (WHERE verdict = 'block') FROM r
		WHERE reviewed_at >= (SELECT coalesce(max(reviewed_at) FILTER (WHERE gap > $2), min(reviewed_at)) FROM r)
		HAVING max(reviewed_at) > now() - $2`, by, pause).Scan(&s.Length, &s.Decided, &s.Blocked)
	if errors.Is(err, pgx.ErrNoRows) {
		return Stint{}, nil
	}
	return s, err
}
