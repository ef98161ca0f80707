package matchdb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// Recent is an upload that is kept for look-backs, by the view that is nearest.
type Recent struct {
	Day        time.Time
	Upload     json.RawMessage // as its decision says it
	Similarity float64
	Score      float64
}

// recentSQL takes the model's id; $1 are the vectors as stored, $2 their penalties. An upload has few views, so that
// more rows are taken than uploads are wanted.
const recentSQL = `
SELECT n.day, u.upload, n.score + n.penalties, n.score FROM (
    SELECT DISTINCT ON (day, stream, sequence, stored) * FROM (
        SELECT r.day, r.stream, r.sequence, r.stored, -(q.v <#> r.embedding) - r.penalty - 1 AS score, q.penalty + r.penalty AS penalties
        FROM recent_view r CROSS JOIN unnest($1::halfvec[], $2::float8[]) AS q (v, penalty)
        WHERE r.model_id = %d ORDER BY score DESC LIMIT $3 * 16
    ) e ORDER BY day, stream, sequence, stored, score DESC
) n JOIN recent_upload u USING (day, stream, sequence, stored)
ORDER BY n.score DESC, n.day DESC, n.stream, n.sequence, n.stored LIMIT $3`

// SearchRecent returns the at most k kept uploads that are nearest to any of the queries, the nearest first. All that is
// kept is compared. ErrReadOnly where this login may not see them.
func (db *DB) SearchRecent(ctx context.Context, model string, qs []Query, k int) ([]Recent, error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return nil, err
	}
	vectors, penalties := make([]pgvector.HalfVector, len(qs)), make([]float64, len(qs))
	for i, q := range qs {
		if err := known.check(q.Vector, q.Penalty); err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
		vectors[i], penalties[i] = StoredVector(q.Vector, q.Penalty), float64(q.Penalty)
	}
	rows, err := db.pool.Query(ctx, fmt.Sprintf(recentSQL, known.id), vectors, penalties, k)
	var found []Recent
	if err == nil {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Recent])
	}
	if pgCode(err) == insufficientPrivilege {
		return nil, ErrReadOnly
	}
	return found, err
}
