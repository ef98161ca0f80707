package matchdb

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/sketch"
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

// Of the nearest pictures of a query comparedRows are compared whatever their scores: some may be in disabled banks. checkedRows are
// checked for deletion.
const (
	comparedRows = 4
	checkedRows  = 32
)

// sketchError is several times what a score by sketches is wrong by: bytes round each number of a stored vector by up to a 254th
// of its largest, up and down.
const sketchError = 0.005

//go:embed match.sql
var matchSQL string

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
	named, err := known.arguments(qs, have)
	if err != nil {
		return nil, err
	}
	hits := make([][]Hit, len(qs))
	var i int
	var h Hit
	fields := []any{&i, &h.FlaggedID, &h.Bank, &h.View, &h.Similarity, &h.Score, &h.BlockAt, &h.ReviewAt}
	deleted, err := sketches.search(ctx, have, named, fields, func() error {
		hits[i] = append(hits[i], h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	sketches.forget(have, deleted)
	return hits, nil
}

// arguments are those of match.sql.
func (r registered) arguments(qs []Query, have *indexState[*sketch.Set]) (arguments, error) {
	vectors, penalties, err := r.queryColumns(qs)
	if err != nil {
		return nil, err
	}
	near := nearest(have, qs)
	return arguments{
		"vectors": vectors, "penalties": penalties, "upper_bounds": near.upperBounds,
		"near_queries": near.queries, "near_images": near.images, "near_scores": near.scores, "near_always": near.always,
		"sketch_error": sketchError, "fresh": nearestRows, "nearest_images": slices.Collect(maps.Keys(near.checked)),
	}, nil
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
