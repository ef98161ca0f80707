package matchdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/pdq"
)

// EvidenceQuery is an upload and a flag to be compared.
type EvidenceQuery struct {
	Flag  uuid.UUID
	Views []Query // of the upload, in the model
	PDQ   []PDQ   // of the same views
}

// Evidence is how alike the nearest views of an upload and a flag are.
type Evidence struct {
	HasVector  bool // of the flag in the model; else the four below are zero
	Score      float64
	Similarity float64
	View       string // of the flag
	Query      int    // the upload's view

	PDQ      int // bits that differ; -1: one of the two has no hash
	PDQView  string
	PDQQuery int
	Quality  int // of the flag's hash that says most, 50 to 100; -1: it has none
}

// evidenceSQL takes the pairs' numbers and flags ($1, $2); the numbers of the pair and of the view, the vector and the penalty of
// each of the upload's views ($3 to $6); and the same of its hashes in hexadecimal digits ($7 to $9). %[1]d is the model's id.
const evidenceSQL = `
WITH pair AS MATERIALIZED (SELECT ord, image_id FROM unnest($1::int[], $2::uuid[]) AS p (ord, image_id)),
vector AS MATERIALIZED (SELECT ord, number, v, penalty FROM unnest($3::int[], $4::int[], $5::halfvec[], $6::float8[]) AS v (ord, number, v, penalty)),
hash AS MATERIALIZED (SELECT ord, number, ('x' || digits)::bit(256) AS hash FROM unnest($7::int[], $8::int[], $9::text[]) AS h (ord, number, digits))
SELECT p.ord, s.score IS NOT NULL, coalesce(s.score, 0), coalesce(s.score + s.penalties, 0), coalesce(s.view, ''), coalesce(s.number, 0),
       coalesce(h.distance, -1), coalesce(h.view, ''), coalesce(h.number, 0),
       coalesce((SELECT max(quality) FROM flagged_pdq q WHERE q.image_id = p.image_id), -1)
FROM pair p
LEFT JOIN LATERAL (
    SELECT v.number, e.view, e.penalty + v.penalty AS penalties, -(e.embedding <#> v.v) - v.penalty - 1 AS score
    FROM vector v JOIN flagged_embedding e ON e.image_id = p.image_id AND e.model_id = %[1]d WHERE v.ord = p.ord
    ORDER BY score DESC, e.view, v.number LIMIT 1
) s ON true
LEFT JOIN LATERAL (
    SELECT h.number, f.view, (f.hash <~> h.hash)::int AS distance
    FROM hash h JOIN flagged_pdq f ON f.image_id = p.image_id WHERE h.ord = p.ord
    ORDER BY distance, f.view, h.number LIMIT 1
) h ON true`

// Evidence compares each pair exactly. A flag that is deleted, or a model that is not registered, has no vector. One statement
// for the whole batch.
func (db *DB) Evidence(ctx context.Context, model string, qs []EvidenceQuery) ([]Evidence, error) {
	if len(qs) == 0 {
		return nil, nil
	}
	known, err := db.model(ctx, model)
	if err != nil && !errors.Is(err, ErrUnknownModel) {
		return nil, err
	}
	var ords, viewOrds, viewNumbers, hashOrds, hashNumbers []int32
	var flags []uuid.UUID
	var views []Query
	var digits []string
	for i, q := range qs {
		ords, flags = append(ords, int32(i)), append(flags, q.Flag)
		for n, p := range q.PDQ {
			if p.Quality >= pdq.MinQuality {
				hashOrds, hashNumbers, digits = append(hashOrds, int32(i)), append(hashNumbers, int32(n)), append(digits, p.Hash.String())
			}
		}
		if err != nil {
			continue // no row has a vector of the model
		}
		for n, v := range q.Views {
			viewOrds, viewNumbers, views = append(viewOrds, int32(i)), append(viewNumbers, int32(n)), append(views, v)
		}
	}
	vectors, penalties, err := known.queryColumns(views)
	if err != nil {
		return nil, err
	}
	rows, err := db.matching.Query(ctx, fmt.Sprintf(evidenceSQL, known.id), ords, flags, viewOrds, viewNumbers, vectors, penalties,
		hashOrds, hashNumbers, digits)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	all := make([]Evidence, len(qs))
	var i int
	var e Evidence
	_, err = pgx.ForEachRow(rows, []any{&i, &e.HasVector, &e.Score, &e.Similarity, &e.View, &e.Query, &e.PDQ, &e.PDQView, &e.PDQQuery, &e.Quality},
		func() error { all[i] = e; return nil })
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return all, nil
}
