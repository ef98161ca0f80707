package matchdb

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// sketches are of one model's embeddings.
type sketches = candidateIndex[*sketchSet]

// sketchSet is the vectors with the lowest threshold of any enabled bank: rows below it are compared by nobody. It may be a second
// old. Where a threshold was lowered since, Match finds that the upper bound reaches it, and scans that bank.
type sketchSet struct {
	VectorSet
	lowest atomic.Uint64 // math.Float64bits
}

func (s *sketchSet) lowestThreshold() float64 { return math.Float64frombits(s.lowest.Load()) }

// readLowest reads the lowest threshold.
func (s *sketchSet) readLowest(ctx context.Context, tx pgx.Tx, model int) error {
	lowest := math.Inf(1) // of a library without enabled banks
	err := tx.QueryRow(ctx, "SELECT coalesce(min(least(block_at, review_at)), 'Infinity') FROM threshold WHERE model_id = $1 AND enabled", model).Scan(&lowest)
	s.lowest.Store(math.Float64bits(lowest))
	return err
}

// Warm reads a model's embeddings, from which Match knows where to look, and returns how many there are and the bytes that are
// kept of them. Match does it where it was not done. The error of a model that is not registered wraps ErrUnknownModel.
func (db *DB) Warm(ctx context.Context, model string) (embeddings int, bytes int64, err error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return 0, 0, err
	}
	return db.sketchesOf(known).warm(ctx)
}

func (db *DB) sketchesOf(model registered) *sketches {
	s, _ := db.sketches.LoadOrStore(model.id, newSketches(db, model))
	return s.(*sketches)
}

// partition is the table of the model's embeddings.
func (r registered) partition() string { return fmt.Sprintf("flagged_embedding_%d", r.id) }

func newSketches(db *DB, model registered) *sketches {
	return &sketches{
		db: db, what: "embeddings", table: model.partition(), turn: make(chan struct{}, 1), stale: outgrown, purge: purgeSketches,
		columns: "image_id, penalty, embedding", rows: fmt.Sprintf("FROM flagged_embedding WHERE model_id = %d", model.id),
		changed: serverChanged(model.partition()), compare: matchStatement("", model.id), deleted: newStatement(deletedSQL, model.id),
		empty: func(ctx context.Context, tx pgx.Tx) (*sketchSet, error) {
			return model.emptySketches(ctx, tx, db.Vectors)
		},
		taken: func(ctx context.Context, tx pgx.Tx, set *sketchSet) error { return set.readLowest(ctx, tx, model.id) },
		take: func(rows pgx.Rows, set *sketchSet) (id uuid.UUID, err error) {
			var penalty float32
			var embedding pgvector.HalfVector
			if err := rows.Scan(&id, &penalty, &embedding); err != nil {
				return id, err
			}
			return id, set.Add(id, embedding.Slice()[:model.dims], penalty)
		},
	}
}

// outgrown is for sets that were made for as few rows as there were at first, and for those that deleted pictures are in the way of and
// that cannot be purged.
func outgrown(have *indexState[*sketchSet]) bool {
	_, purged := have.set.VectorSet.(sketched)
	return have.first < readAnew && have.set.Len() > 4*have.first+readAnew || !purged && len(have.deleted) > mostDeleted
}

func purgeSketches(set *sketchSet, deleted map[uuid.UUID]bool) bool {
	s, ok := set.VectorSet.(sketched)
	if !ok || len(deleted) <= mostDeleted {
		return false
	}
	s.Purge(deleted)
	return true
}

// emptySketches are for vectors about the mean of some that are there.
func (r registered) emptySketches(ctx context.Context, tx pgx.Tx, vectors Vectors) (*sketchSet, error) {
	var mean *pgvector.HalfVector
	err := tx.QueryRow(ctx, fmt.Sprintf(
		"SELECT avg(embedding) FROM (SELECT embedding FROM flagged_embedding WHERE model_id = %d LIMIT %d) e", r.id, readAnew)).Scan(&mean)
	if err != nil {
		return nil, err
	}
	about := make([]float32, r.dims)
	if mean != nil {
		copy(about, mean.Slice())
	}
	set, err := vectors.New(about)
	return &sketchSet{VectorSet: set}, err
}

// neighbours are what sketches say of a batch of queries.
type neighbours struct {
	upperBounds []float64 // for each query, the score that no other row exceeds
	// For each picture that is near to a query, the nearest of each query first:
	queries []int32 // from 1
	images  []uuid.UUID
	scores  []float64 // by its sketch
	always  []bool    // whether it is compared whatever its score
}

// nearest looks up what is nearest to the queries, and may reach the lowest threshold or is among the first ComparedRows. Until a deleted picture
// is passed over it takes the place of another, but hides none: the upper bound is that of the first that is left out.
func nearest(have *indexState[*sketchSet], qs []Query, lowest float64) (near neighbours, err error) {
	vectors := make([][]float32, len(qs))
	for i, q := range qs {
		vectors[i] = q.Vector
	}
	found, bounds, err := have.set.Nearest(vectors, nearestRows, have.deleted)
	if err != nil {
		return near, err
	}
	for i, q := range qs {
		bound := bounds[i]
		for place, n := range found[i] {
			score := float64(n.Score - q.Penalty)
			if place >= ComparedRows && score+sketchError < lowest {
				bound = max(bound, n.Score) // those that follow are no nearer
				break
			}
			near.queries, near.images = append(near.queries, int32(i)+1), append(near.images, n.ID)
			near.scores, near.always = append(near.scores, score), append(near.always, place < ComparedRows)
		}
		near.upperBounds = append(near.upperBounds, float64(bound-q.Penalty))
	}
	return near, nil
}
