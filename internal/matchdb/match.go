package matchdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// Tolerance bounds how much a score that the library returns differs from the float32 formula: half precision rounds the
// stored vector, the asked one and the stored half, each to 11 significant bits.
const Tolerance = 1e-3

// Query is an upload's vector of the model's dims, L2-normalised, with its half of the score.
type Query struct {
	Vector []float32
	Half   float32
	// Candidates are so many of the nearest flags, whatever their score, for a closer look.
	Candidates int
}

// Hit is a flag near to a query, by its nearest embedding.
type Hit struct {
	FlaggedID  uuid.UUID
	Bank       string
	View       string
	Similarity float64  // cosine, q·r
	Score      float64  // q·r − half(q) − half(r); what the thresholds apply to
	BlockAt    float64  // of the bank for this model
	ReviewAt   *float64 // nil: the bank has no review band for this model
}

// nearestRows is how many neighbours the index is asked for: the queries whose last one still reaches a threshold pay for
// an exact scan of the banks that have no hit. Half of ef_search, which leaves room for dead rows.
const nearestRows = 100

// matchSQL is one batch of queries in one statement; the %[1]d are the model's id, the %[2]d its stored width, literally:
// the id lets the planner see the partition, the width makes the index's expression. See the package's comment for what
// makes it complete.
const matchSQL = `
WITH q AS MATERIALIZED (
    SELECT * FROM unnest($1::halfvec[], $2::float8[], $3::int[]) WITH ORDINALITY AS q (v, half, candidates, ord)
    WHERE require_indexed('flagged_embedding_%[1]d')
), active AS MATERIALIZED (
    SELECT b.id, b.name, coalesce(t.block_at, m.block_at) AS block_at,
           CASE WHEN t.bank_id IS NULL THEN m.review_at ELSE t.review_at END AS review_at
    FROM bank b JOIN model m ON m.id = %[1]d
    LEFT JOIN bank_threshold t ON t.bank_id = b.id AND t.model_id = m.id
    WHERE b.enabled
), near AS MATERIALIZED (
    SELECT q.ord, e.* FROM q CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, half, -(embedding::halfvec(%[2]d) <#> q.v) - q.half - 1 AS score
        FROM flagged_embedding WHERE model_id = %[1]d
        ORDER BY embedding::halfvec(%[2]d) <#> q.v LIMIT %[3]d
    ) e
), proof AS (
    SELECT ord, count(*) AS found, min(score) AS worst FROM near GROUP BY ord
), doubtful AS (
    SELECT q.v, q.half, q.ord, a.id AS bank_id FROM q CROSS JOIN active a LEFT JOIN proof p USING (ord)
    WHERE (p.found = %[3]d AND p.worst < least(a.block_at, a.review_at)) IS NOT TRUE
      AND NOT EXISTS (SELECT FROM near n WHERE n.ord = q.ord AND n.bank_id = a.id)
), hit AS (
    SELECT * FROM near
    UNION ALL
    SELECT d.ord, e.* FROM doubtful d CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, half, -(embedding <#> d.v) - d.half - 1 AS score
        FROM flagged_embedding WHERE model_id = %[1]d AND bank_id = d.bank_id
        ORDER BY score DESC LIMIT 1
    ) e
)
SELECT ord - 1, image_id, bank, view, score + half + q_half, score, block_at, review_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY ord ORDER BY score DESC, image_id) AS place,
           row_number() OVER (PARTITION BY ord, bank_id ORDER BY score DESC, image_id) AS in_bank
    FROM (
        SELECT DISTINCT ON (h.ord, h.image_id) h.*, q.half AS q_half, candidates, a.name AS bank, a.block_at, a.review_at
        FROM hit h JOIN active a ON a.id = h.bank_id JOIN q USING (ord) ORDER BY h.ord, h.image_id, h.score DESC, h.view
    ) b
) b
WHERE in_bank = 1 OR place <= candidates
ORDER BY ord, score DESC, bank`

func (r registered) matchSQL() string { return fmt.Sprintf(matchSQL, r.id, r.dims+1, nearestRows) }

// Match returns for each query the best hit of every enabled bank that has one at or above its lowest threshold, and
// further hits that are candidates, best score first. Hits below their bank's thresholds may be among them; where the library holds any embedding of the model in
// an enabled bank near by, the nearest is. A model that is not registered has no hits. One statement for the whole batch.
// Errors: a query that is no vector of the model wraps ErrInvalid; while the model's index is being built they wrap
// ErrIndexing; of the others Retryable says which may pass.
func (db *DB) Match(ctx context.Context, model string, qs []Query) ([][]Hit, error) {
	hits := make([][]Hit, len(qs))
	if len(qs) == 0 {
		return hits, nil
	}
	known, err := db.model(ctx, model)
	if errors.Is(err, ErrUnknownModel) {
		return hits, nil
	}
	if err != nil {
		return nil, err
	}
	arguments, err := known.arguments(qs)
	if err != nil {
		return nil, err
	}
	rows, err := db.matching.Query(ctx, known.matchSQL(), arguments...)
	if err != nil {
		return nil, fmt.Errorf("match: %w", indexing(err))
	}
	var i int
	var h Hit
	_, err = pgx.ForEachRow(rows, []any{&i, &h.FlaggedID, &h.Bank, &h.View, &h.Similarity, &h.Score, &h.BlockAt, &h.ReviewAt}, func() error {
		hits[i] = append(hits[i], h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("match: %w", indexing(err))
	}
	return hits, nil
}

// arguments are the asked vectors, their halves, and how many candidates are wanted.
func (r registered) arguments(qs []Query) ([]any, error) {
	vectors := make([]pgvector.HalfVector, len(qs))
	halves := make([]float64, len(qs))
	candidates := make([]int32, len(qs))
	for i, q := range qs {
		if err := r.check(q.Vector, q.Half); err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
		vectors[i], halves[i], candidates[i] = Asked(q.Vector), float64(q.Half), int32(q.Candidates)
	}
	return []any{vectors, halves, candidates}, nil
}
