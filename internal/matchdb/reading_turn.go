package matchdb

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5/pgxpool"
)

// readersAtOnce is how many moderators may read the whole library at the same time, so that many that start together leave Postgres to
// those that judge. Two streams keep about two of its cores busy.
const readersAtOnce = 2

// ReadingTurn waits until fewer than readersAtOnce moderators read the library. The caller calls done when it has read. A moderator that
// dies gives its turn up with its connection.
func (db *DB) ReadingTurn(ctx context.Context) (done func(), err error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	for slot := range readersAtOnce {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock('flagged_image'::regclass::oid::int, $1)", slot).Scan(&locked); err != nil {
			conn.Release()
			return nil, fmt.Errorf("ask for a turn to read the library: %w", err)
		}
		if locked {
			return giveUp(conn), nil
		}
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock('flagged_image'::regclass::oid::int, $1)", rand.IntN(readersAtOnce)); err != nil {
		conn.Release()
		return nil, fmt.Errorf("wait for a turn to read the library: %w", err)
	}
	return giveUp(conn), nil
}

// giveUp returns a function that closes a session, and with it its locks.
func giveUp(conn *pgxpool.Conn) func() {
	return func() { _ = conn.Hijack().Close(context.Background()) }
}
