package matchdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// VerifyOptions say what a library is held against.
type VerifyOptions struct {
	Model      string                  // fingerprint of the model that judges
	Penalty    func([]float32) float32 // its background penalty
	Views      []string                // that every flag is to have
	Sample     int                     // so many queries of each kind
	Seed       uint64                  // of the sample
	Candidates int                     // by keypoints, as matching takes them; 0: these are not verified
}

// Verification is what Verify found. What is wrong is for the caller to say: see its fields.
type Verification struct {
	Embeddings, PDQ, Keypoints Agreement
	Indexes                    []Index
	Faults                     []Fault      // one for each kind, also where there is none
	Models                     []ModelStats // what the library holds of each model
}

// Agreement is how what matching finds compares with what is there. A verdict is what one bank says of one query: block
// or review.
type Agreement struct {
	Rows     int64 // that were compared with, all of them
	Queries  int
	Expected int   // verdicts that follow from all rows
	Found    int   // of them, by matching
	Worst    *Miss // the surest of the others
}

// Recall is the share of verdicts that matching finds, 1 where none is expected.
func (a Agreement) Recall() float64 {
	if a.Expected == 0 {
		return 1
	}
	return float64(a.Found) / float64(a.Expected)
}

// Miss is a flag that matching should have found.
type Miss struct {
	FlaggedID  uuid.UUID
	Bank, View string
	Score      float64  // of the embedding or the keypoints
	Distance   int      // of the PDQ hash, in bits
	Over       float64  // so much more than the threshold, in score or bits
	Got        *float64 // the score or distance of what was found instead in its bank; nil: nothing
}

// Verify compares what Match and MatchHashes find with a comparison of all rows, which is made here and not by the
// database, and looks for rows that are wrong. The queries are stored vectors turned, and stored hashes with bits flipped:
// three of four by less than the threshold, as an edit does, the others by more, as another picture is. By keypoints, the queries
// are parts of flags, turned and zoomed: those that geometric verification accepts are to have their flag among the candidates.
// Verify changes nothing, reads every vector and hash once, and takes the rights of a reader. Errors wrap ErrUnknownModel or
// ErrInvalid.
func (db *DB) Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	var v Verification
	if o.Sample < 1 {
		return v, fmt.Errorf("%w sample of %d: want 1 query or more", ErrInvalid, o.Sample)
	}
	known, err := db.model(ctx, o.Model)
	if err != nil {
		return v, err
	}
	banks, err := db.limits(ctx, known)
	if err != nil {
		return v, err
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	e := &embeddingCheck{db: db, model: known, banks: banks, options: o, random: random}
	if v.Embeddings, err = e.run(ctx); err != nil {
		return v, fmt.Errorf("verify embeddings: %w", err)
	}
	h := &pdqCheck{db: db, banks: banks, options: o, random: random}
	if v.PDQ, err = h.run(ctx); err != nil {
		return v, fmt.Errorf("verify PDQ hashes: %w", err)
	}
	if o.Candidates > 0 {
		k := &keypointCheck{db: db, options: o, random: random}
		if v.Keypoints, err = k.run(ctx); err != nil {
			return v, fmt.Errorf("verify keypoints: %w", err)
		}
	}
	if v.Faults, err = db.faults(ctx, known, o.Views); err != nil {
		return v, err
	}
	v.Faults = append(v.Faults, Fault{Kind: DamagedVector, Count: e.damaged, Examples: e.examples})
	if v.Indexes, err = db.Indexes(ctx); err != nil {
		return v, err
	}
	stats, err := db.Stats(ctx)
	v.Models = stats.Models
	return v, err
}

// limit is an enabled bank with its thresholds for a model.
type limit struct {
	id            int
	name          string
	block, review float64 // review is +Inf where there is no review band
}

// band is 2 from the block score on, 1 from the review score on, else 0.
func (l limit) band(score float64) int {
	switch {
	case score >= l.block:
		return 2
	case score >= l.review:
		return 1
	}
	return 0
}

// limits are the enabled banks, by id.
func (db *DB) limits(ctx context.Context, model registered) (map[int]limit, error) {
	rows, err := db.pool.Query(ctx, `SELECT bank_id, bank, block_at, coalesce(review_at, 'infinity')
		FROM threshold WHERE model_id = $1 AND enabled`, model.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	banks := map[int]limit{}
	for rows.Next() {
		var l limit
		if err := rows.Scan(&l.id, &l.name, &l.block, &l.review); err != nil {
			return nil, err
		}
		banks[l.id] = l
	}
	return banks, rows.Err()
}

// inParts runs do over [0, n) in parts of at most size, on all cores.
func inParts(ctx context.Context, n, size int, do func(ctx context.Context, from, to int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += size {
		group.Go(func() error { return do(ctx, from, min(from+size, n)) })
	}
	return group.Wait()
}

// sampled is the share in percent of rows to draw, so that about n of all are.
func sampled(n int, all int64) float64 {
	return min(100, 100*float64(n)/float64(max(all, 1)))
}
