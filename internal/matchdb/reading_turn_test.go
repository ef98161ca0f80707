package matchdb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Of moderators that start together some read, and each other one begins when one of them has read.
func TestReadingTurns(t *testing.T) {
	_, url := library(t)
	var reading []func()
	for range readersAtOnce {
		done, err := open(t, url).ReadingTurn(t.Context())
		require.NoError(t, err)
		reading = append(reading, done)
	}
	next := make(chan func())
	for range readersAtOnce + 1 {
		late := open(t, url)
		go func() {
			done, err := late.ReadingTurn(t.Context())
			if err == nil {
				next <- done
			}
		}()
	}
	watcher := open(t, url)
	waiting := func() (n int) {
		require.NoError(t, watcher.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n))
		return n
	}
	require.Eventually(t, func() bool { return waiting() == readersAtOnce+1 }, time.Minute, 10*time.Millisecond)
	for _, done := range reading {
		done()
	}
	for range readersAtOnce + 1 { // some wait for the same one
		(<-next)()
	}
}
