package matchdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Stopped is a kept upload that a flag stops.
type Stopped struct {
	Flag     uuid.UUID
	Stream   string
	Sequence uint64
	Stored   int64 // when the stream stored the message, in nanoseconds since 1970
}

// OnceEach calls publish with those of the uploads of that day that were not published for their flag yet, and remembers them
// where it returns nil. Another call with the same ones waits until then. After an error they count as not published.
func (db *DB) OnceEach(ctx context.Context, day time.Time, all []Stopped, publish func(fresh []Stopped) error) error {
	flags, streams := make([]uuid.UUID, len(all)), make([]string, len(all))
	sequences, stored := make([]int64, len(all)), make([]int64, len(all))
	for i, f := range all {
		flags[i], streams[i], sequences[i], stored[i] = f.Flag, f.Stream, int64(f.Sequence), f.Stored
	}
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		// In one order, so that calls wait for each other in one direction only.
		rows, err := tx.Query(ctx, `INSERT INTO recent_found (day, stream, sequence, stored, image_id)
			SELECT $1, stream, sequence, stored, image_id
			FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[]) AS f (image_id, stream, sequence, stored)
			ORDER BY stream, sequence, stored, image_id ON CONFLICT DO NOTHING RETURNING image_id, stream, sequence, stored`,
			day, flags, streams, sequences, stored)
		if err != nil {
			return fmt.Errorf("remember what a look-back found: %w", err)
		}
		fresh, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Stopped])
		if err != nil {
			return fmt.Errorf("remember what a look-back found: %w", err)
		}
		return publish(fresh)
	})
}
