package matchdb

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"
)

// Tolerance bounds how much a score that the library returns differs from the float32 formula: half precision rounds the
// stored vector, the query and the stored penalty, each to 11 significant bits.
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

// nearestRows is how many of the nearest embeddings are compared: the queries whose last one still reaches a threshold pay
// for an exact scan of the banks that may have something better.
const nearestRows = 100

// ComparedRows is how many of the nearest pictures of a query are compared whatever their scores: some may be in disabled banks.
const ComparedRows = 4

// sketchError is several times what a score by sketches is wrong by: bytes round each number of a stored vector by up to a 254th
// of its largest, up and down.
const sketchError = 0.005

//go:embed match.sql
var matchSQL string

// matchStatement is match.sql with thresholds from a subquery, or from the view threshold if it is "".
func matchStatement(subquery string, model int) statement {
	return newStatement(strings.Replace(matchSQL, "{threshold}", subquery, 1), model)
}

// deletedSQL names those of some pictures that have no embedding any more.
const deletedSQL = `
SELECT image_id FROM unnest(@nearest_images::uuid[]) AS nearest (image_id)
WHERE NOT EXISTS (SELECT FROM flagged_embedding e WHERE e.image_id = nearest.image_id AND e.model_id = {model})`

// Match returns for each query the best hit of every enabled bank that has one at or above its lowest threshold, the
// best score first. Hits below their bank's thresholds may be among them; where the library holds any embedding of the model in an
// enabled bank near by, the nearest is. A model that is not registered has no hits. One
// round trip for the whole batch.
// Errors: a query that is no vector of the model wraps ErrInvalid; of the others Retryable says which may pass.
func (db *DB) Match(ctx context.Context, model string, qs []Query) ([][]Hit, error) {
	hits, _, err := db.match(ctx, model, qs, nil)
	return hits, err
}

// MatchNear is Match, and names a few pictures that are nearest to each query by their sketches, whatever their scores and banks.
func (db *DB) MatchNear(ctx context.Context, model string, qs []Query) (hits [][]Hit, near [][]uuid.UUID, err error) {
	return db.match(ctx, model, qs, nil)
}

// match is MatchNear, with the thresholds of what if it is not nil.
func (db *DB) match(ctx context.Context, model string, qs []Query, what *WhatIf) ([][]Hit, [][]uuid.UUID, error) {
	hits, images := make([][]Hit, len(qs)), make([][]uuid.UUID, len(qs))
	if len(qs) == 0 {
		return hits, images, nil
	}
	known, err := db.model(ctx, model)
	if errors.Is(err, ErrUnknownModel) {
		return hits, images, nil
	}
	if err != nil {
		return nil, nil, err
	}
	vectors, penalties, err := known.queryColumns(qs)
	if err != nil {
		return nil, nil, err
	}
	sketches := db.sketchesOf(known)
	have, err := sketches.get(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("match: %w", err)
	}
	lowest := have.set.lowestThreshold()
	if what != nil {
		lowest = math.Inf(-1)
	}
	near, err := nearest(have, qs, lowest)
	if err != nil {
		return nil, nil, fmt.Errorf("match: %w", err)
	}
	for k, query := range near.queries {
		if near.always[k] {
			images[query-1] = append(images[query-1], near.images[k])
		}
	}
	named := near.arguments(vectors, penalties)
	compare := sketches.compare
	if what != nil {
		compare = matchStatement(whatIfSQL, known.id)
		what.name(named)
	}
	var i int
	var h Hit
	fields := []any{&i, &h.FlaggedID, &h.Bank, &h.View, &h.Similarity, &h.Score, &h.BlockAt, &h.ReviewAt}
	deleted, err := sketches.searchBy(ctx, compare, have, named, fields, func() error {
		hits[i] = append(hits[i], h)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("match: %w", err)
	}
	sketches.forget(have, deleted)
	return hits, images, nil
}

// arguments are those of match.sql.
func (n neighbours) arguments(vectors []pgvector.HalfVector, penalties []float64) arguments {
	return arguments{
		"vectors": vectors, "penalties": penalties, "upper_bounds": n.upperBounds,
		"near_queries": n.queries, "near_images": n.images, "near_scores": n.scores, "near_always": n.always,
		"sketch_error": sketchError, "fresh": nearestRows, "nearest_images": distinct(n.images),
	}
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
