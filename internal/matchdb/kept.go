package matchdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/pdq"
)

// WhatIf is a library with other thresholds, for replays. Nothing is written.
type WhatIf struct {
	Banks      []string    // take the settings, and decide even if they are disabled or in shadow; none: all enabled banks
	Thresholds *Thresholds // as SetBank would set them; nil: each bank's own

	PDQDistance *int   // of the banks' policies; nil: each bank's own
	PDQVerdict  string // the same; with a distance only
}

// whatIfSQL stands in for the view threshold.
const whatIfSQL = `(
    SELECT bank_id, bank, model_id, enabled OR named AS enabled, CASE WHEN changed THEN @what_block_at ELSE block_at END AS block_at,
           CASE WHEN changed THEN @what_review_at ELSE review_at END AS review_at
    FROM threshold CROSS JOIN LATERAL (SELECT bank = ANY (@what_banks::text[]) AS named) n
    CROSS JOIN LATERAL (SELECT @what_block_at::float8 IS NOT NULL AND (named OR cardinality(@what_banks::text[]) = 0) AS changed) c
)`

func (w WhatIf) name(named arguments) {
	banks := w.Banks
	if banks == nil {
		banks = []string{}
	}
	var blockAt, reviewAt *float64
	if t := w.Thresholds; t != nil {
		blockAt, reviewAt = &t.BlockAt, t.ReviewAt
	}
	named["what_banks"], named["what_block_at"], named["what_review_at"] = banks, blockAt, reviewAt
}

// Check returns an error that wraps ErrUnknownBank or ErrInvalid.
func (w WhatIf) Check(ctx context.Context, db *DB) error {
	for _, name := range w.Banks {
		if _, err := db.Bank(ctx, name); err != nil {
			return err
		}
	}
	if w.Thresholds != nil && !w.Thresholds.valid() {
		return fmt.Errorf("%w thresholds: want a review score that is at most the block score", ErrInvalid)
	}
	return BankPolicy{PDQDistance: w.PDQDistance, PDQVerdict: w.PDQVerdict}.check()
}

// MatchIf is Match in that library.
func (db *DB) MatchIf(ctx context.Context, model string, qs []Query, w WhatIf) ([][]Hit, error) {
	hits, _, err := db.match(ctx, model, qs, &w)
	return hits, err
}

// keptAtOnce is how many kept uploads are passed on together.
const keptAtOnce = 256

// KeptUploads calls each with the uploads that are kept of the messages that their streams stored since then, with their views by
// the model, some hundred at a time. It stops at the first error.
func (db *DB) KeptUploads(ctx context.Context, model string, since time.Time, each func([]RecentUpload) error) error {
	known, err := db.model(ctx, model)
	if err != nil {
		return err
	}
	days, err := db.RecentDays(ctx)
	if err != nil {
		return err
	}
	for _, day := range days { // sorted one by one
		if day.AddDate(0, 0, 1).Before(since) {
			continue
		}
		if err := db.keptOfDay(ctx, known, day, since, each); err != nil {
			return fmt.Errorf("read kept uploads: %w", err)
		}
	}
	return nil
}

// keptSQL takes a day, and the least time of storing in nanoseconds since 1970. Uploads of old versions have none.
const keptSQL = `
SELECT u.stream, u.sequence, u.stored, encode(u.sha256, 'hex'), u.upload, v.penalty, v.embedding, v.pdq
FROM recent_upload u LEFT JOIN recent_view v ON v.day = u.day AND v.stream = u.stream AND v.sequence = u.sequence AND v.stored = u.stored AND v.model_id = %d
WHERE u.day = $1 AND (u.stored >= $2 OR u.stored = 0)
ORDER BY u.stream, u.sequence, u.stored, v.number`

func (db *DB) keptOfDay(ctx context.Context, model registered, day, since time.Time, each func([]RecentUpload) error) error {
	rows, err := db.pool.Query(ctx, fmt.Sprintf(keptSQL, model.id), day, since.UnixNano())
	if err != nil {
		return err
	}
	var batch []RecentUpload
	var u RecentUpload
	var upload []byte
	var penalty *float32
	var vector *pgvector.HalfVector
	var bits pgtype.Bits
	_, err = pgx.ForEachRow(rows, []any{&u.Stream, &u.Sequence, &u.Stored, &u.SHA256, &upload, &penalty, &vector, &bits}, func() error {
		last := len(batch) - 1
		if last < 0 || batch[last].Stream != u.Stream || batch[last].Sequence != u.Sequence || batch[last].Stored != u.Stored {
			if len(batch) == keptAtOnce {
				if err := each(batch); err != nil {
					return err
				}
				batch = batch[:0]
			}
			u.Upload = json.RawMessage(slices.Clone(upload))
			batch, last = append(batch, u), len(batch)
		}
		if vector == nil { // nothing to see
			return nil
		}
		view := RecentView{Query: Query{Vector: vector.Slice()[:model.dims], Penalty: *penalty}}
		if bits.Valid {
			view.PDQ.Quality = pdq.MinQuality // and no less, or it were not kept
			copy(view.PDQ.Hash[:], bits.Bytes)
		}
		batch[last].Views = append(batch[last].Views, view)
		return nil
	})
	if err != nil || len(batch) == 0 {
		return err
	}
	return each(batch)
}
