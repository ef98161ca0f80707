package matchdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// IndexProgress is how far the building of an index is.
type IndexProgress struct {
	Done, Total int64 // blocks of the table; both 0 until the server counts
}

// indexMissing is the SQLSTATE that require_indexed raises.
const indexMissing = "MD001"

// indexing makes the error of a missing index wrap ErrIndexing; others stay.
func indexing(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == indexMissing {
		return fmt.Errorf("%w: %s", ErrIndexing, pg.Message)
	}
	return err
}

// Indexed returns an error that wraps ErrIndexing, and says what to do, while matching by PDQ is refused because its index is
// not built.
func (db *DB) Indexed(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, "SELECT require_indexed('flagged_pdq')")
	return indexing(err)
}

// beginLoad takes the indexes off the PDQ hashes where there are none yet. From then on matching is refused until BuildIndex.
func (db *DB) beginLoad(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, "SELECT begin_load()")
	return err
}

// The memory, in bytes, that the building of an index takes for a hash: itself and its neighbours, on 1.1 layers.
const indexRowBytes = 1132

// BuildIndex builds the index that a load took off, also one that was killed, and calls progress at its beginning and then about
// once a second. The server takes at most memory bytes for it; an index that does not fit takes several times as long. Flags
// with PDQ hashes are added when it is done: they wait.
func (db *DB) BuildIndex(ctx context.Context, memory int64, progress func(IndexProgress)) error {
	switch err := db.Indexed(ctx); {
	case err == nil:
		return nil
	case !errors.Is(err, ErrIndexing):
		return err
	}
	var rows int64
	if err := db.pool.QueryRow(ctx, "SELECT count(*) FROM flagged_pdq").Scan(&rows); err != nil {
		return err
	}
	need := max(64<<20, min(memory, rows*indexRowBytes))
	progress(IndexProgress{})
	err := db.buildIndex(ctx, need, "DEFAULT", progress)
	if pgCode(err) == diskFull {
		// Workers share memory through /dev/shm, of which containers often have 64 MB. Alone, the server takes ordinary memory.
		err = db.buildIndex(ctx, need, "0", progress)
	}
	if err != nil {
		return fmt.Errorf("build the index of PDQ hashes: %w", err)
	}
	return nil
}

const diskFull = "53100"

func (db *DB) buildIndex(ctx context.Context, memory int64, workers string, progress func(IndexProgress)) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		watching, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		pid := tx.Conn().PgConn().PID()
		go func() {
			defer close(done)
			db.watchIndex(watching, pid, progress)
		}()
		defer func() { stop(); <-done }()
		settings := fmt.Sprintf("SET LOCAL maintenance_work_mem = '%dkB'; SET LOCAL max_parallel_maintenance_workers = %s", memory>>10, workers)
		if _, err := tx.Conn().PgConn().Exec(ctx, settings).ReadAll(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "SELECT build_index()")
		return err
	})
}

// watchIndex reports what the server says of its process pid until ctx is done.
func (db *DB) watchIndex(ctx context.Context, pid uint32, progress func(IndexProgress)) {
	for {
		var p IndexProgress
		err := db.pool.QueryRow(ctx, `SELECT coalesce(blocks_done, 0), coalesce(blocks_total, 0) FROM pg_stat_progress_create_index WHERE pid = $1`, pid).
			Scan(&p.Done, &p.Total)
		if err == nil { // else it is not building yet, or nothing more is to be said
			progress(p)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
