package matchdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"
)

// Tolerance bounds how much a score that the library returns differs from the float32 formula: half precision rounds the
// stored vector, the asked one and the stored penalty, each to 11 significant bits.
const Tolerance = 1e-3

// Query is an upload's vector of the model's dims, L2-normalised, with its background penalty.
type Query struct {
	Vector  []float32
	Penalty float32
}

// Hit is a flag near to a query, by its nearest embedding.
type Hit struct {
	FlaggedID  uuid.UUID
	Bank       string
	View       string
	Similarity float64  // cosine, q·r
	Score      float64  // q·r − penalty(q) − penalty(r); what the thresholds apply to
	BlockAt    float64  // of the bank for this model
	ReviewAt   *float64 // nil: the bank has no review band for this model
}

// nearestRows is how many of the nearest embeddings are asked for: the queries whose last one still reaches a threshold pay
// for an exact scan of the banks that may have something better.
const nearestRows = 100

// sketchError is several times what a score by sketches is wrong by: bytes round each number of a stored vector by up to a 254th
// of its largest, up and down.
const sketchError = 0.005

// matchSQL is one batch of queries in one statement; the %[1]d are the model's id, literally, which lets the planner see the
// partition. $3 is the score that nothing exceeds but what is asked for; $4 to $6 are the queries, pictures and scores of that by
// the sketches, the nearest first, and $7 and $8 the snapshot and the server that they are of. Compared are those that may reach a threshold, and
// the nearest few, some of which may be in disabled banks. See the package's comment for what makes it complete.
const matchSQL = `
WITH q AS MATERIALIZED (
    SELECT * FROM unnest($1::halfvec[], $2::float8[], $3::float8[]) WITH ORDINALITY AS q (v, penalty, upper_bound, ord)
), active AS MATERIALIZED (
    SELECT bank_id AS id, bank AS name, block_at, review_at FROM threshold WHERE model_id = %[1]d AND enabled
), candidate AS MATERIALIZED (
    SELECT ord, image_id FROM (
        SELECT *, row_number() OVER (PARTITION BY ord ORDER BY number) AS place
        FROM unnest($4::int[], $5::uuid[], $6::float8[]) WITH ORDINALITY AS a (ord, image_id, score, number)
    ) a
    WHERE place <= 4 OR score + %[3]g >= (SELECT min(least(block_at, review_at)) FROM active)
), not_in_snapshot AS MATERIALIZED (
    SELECT image_id, bank_id, view, penalty, embedding FROM flagged_embedding WHERE model_id = %[1]d AND %[2]s
), fresh AS MATERIALIZED (
    SELECT q.ord, e.* FROM q CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, u.penalty, -(embedding <#> q.v) - q.penalty - 1 AS score FROM not_in_snapshot u ORDER BY score DESC LIMIT %[4]d
    ) e
), near AS MATERIALIZED (
    SELECT ord, e.image_id, bank_id, view, e.penalty, -(embedding <#> q.v) - q.penalty - 1 AS score
    FROM candidate a JOIN q USING (ord) JOIN flagged_embedding e ON e.image_id = a.image_id AND e.model_id = %[1]d
    UNION ALL
    SELECT * FROM fresh
), rest AS (
    SELECT q.v, q.penalty, q.ord, greatest(q.upper_bound + %[3]g, f.last) AS most FROM q LEFT JOIN (
        SELECT ord, min(score) AS last FROM fresh GROUP BY ord HAVING count(*) = %[4]d
    ) f USING (ord)
), doubtful AS (
    SELECT r.v, r.penalty, r.ord, a.id AS bank_id FROM rest r CROSS JOIN active a
    WHERE r.most >= least(a.block_at, a.review_at) AND NOT EXISTS (SELECT FROM near n WHERE n.ord = r.ord AND n.bank_id = a.id
        AND (n.score >= least(r.most, a.block_at) OR n.score >= a.review_at AND r.most < a.block_at))
), hit AS (
    SELECT * FROM near
    UNION ALL
    SELECT d.ord, e.* FROM doubtful d CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, penalty, -(embedding <#> d.v) - d.penalty - 1 AS score
        FROM flagged_embedding WHERE model_id = %[1]d AND bank_id = d.bank_id
        ORDER BY score DESC LIMIT 1
    ) e
)
SELECT ord - 1, image_id, bank, view, score + penalty + q_penalty, score, block_at, review_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY ord, bank_id ORDER BY score DESC, image_id) AS in_bank
    FROM (
        SELECT DISTINCT ON (h.ord, h.image_id) h.*, q.penalty AS q_penalty, a.name AS bank, a.block_at, a.review_at
        FROM hit h JOIN active a ON a.id = h.bank_id JOIN q USING (ord) ORDER BY h.ord, h.image_id, h.score DESC, h.view
    ) b
) b
WHERE in_bank = 1
UNION ALL
SELECT 0, image_id, NULL, '', 0, 0, 0, NULL FROM (SELECT DISTINCT image_id FROM candidate) a
WHERE NOT EXISTS (SELECT FROM near n WHERE n.image_id = a.image_id)
UNION ALL
SELECT -1, '00000000-0000-0000-0000-000000000000', NULL, '', 0, 0, 0, NULL WHERE %[5]s
ORDER BY 1, 6 DESC, 3`

func (r registered) matchSQL() string {
	return fmt.Sprintf(matchSQL, r.id, fmt.Sprintf(notInSnapshotSQL, "$7"), sketchError, nearestRows, serverChangedSQL(r.partition(), "$8", "$7"))
}

// Match returns for each query the best hit of every enabled bank that has one at or above its lowest threshold, best
// score first. Hits below their bank's thresholds may be among them; where the library
// holds any embedding of the model in an enabled bank near by, the nearest is. A model that is not registered has no hits. One
// statement for the whole batch.
// Errors: a query that is no vector of the model wraps ErrInvalid; of the others Retryable says which may pass.
func (db *DB) Match(ctx context.Context, model string, qs []Query) ([][]Hit, error) {
	none := make([][]Hit, len(qs))
	if len(qs) == 0 {
		return none, nil
	}
	known, err := db.model(ctx, model)
	if errors.Is(err, ErrUnknownModel) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	sketches := db.sketchesOf(known)
	have, err := sketches.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	vectors, penalties, err := known.queryColumns(qs)
	if err != nil {
		return nil, err
	}
	upperBounds, near := nearest(have, qs)
	rows, err := db.matching.Query(ctx, known.matchSQL(), vectors, penalties, upperBounds, near.ords, near.images, near.scores, have.snapshot, have.server)
	if err != nil {
		return nil, fmt.Errorf("match: %w", sketches.orServerChanged(ctx, have, err))
	}
	var h Hit
	hits, deleted, err := answered(rows, len(qs), &h, &h.FlaggedID, &h.Bank, &h.View, &h.Similarity, &h.Score, &h.BlockAt, &h.ReviewAt)
	if err != nil {
		return nil, fmt.Errorf("match: %w", sketches.orServerChanged(ctx, have, err))
	}
	sketches.forget(have, deleted)
	return hits, nil
}

// queryColumns are the vectors and penalties of queries as statements take them.
func (r registered) queryColumns(qs []Query) (vectors []pgvector.HalfVector, penalties []float64, err error) {
	vectors, penalties = make([]pgvector.HalfVector, len(qs)), make([]float64, len(qs))
	for i, q := range qs {
		if err := r.check(q.Vector, q.Penalty); err != nil {
			return nil, nil, fmt.Errorf("query %d: %w", i, err)
		}
		vectors[i], penalties[i] = QueryVector(q.Vector), float64(q.Penalty)
	}
	return vectors, penalties, nil
}
