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
	Table       string
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

// Indexed returns an error that wraps ErrIndexing, and says what to do, while matching by the model or by PDQ is refused
// because an index is not built.
func (db *DB) Indexed(ctx context.Context, model string) error {
	_, err := db.pool.Exec(ctx, `SELECT require_indexed('flagged_pdq'), (SELECT require_indexed(signals_of(id)::regclass) FROM model WHERE fingerprint = $1)`, model)
	return indexing(err)
}

// beginLoad takes the index off the model's vectors, or with nil off the PDQ hashes, where there are none yet. From then on
// matching is refused until BuildIndexes.
func (db *DB) beginLoad(ctx context.Context, model *int) error {
	_, err := db.pool.Exec(ctx, "SELECT begin_load($1)", model)
	return err
}

// The memory, in bytes, that the building of an index takes for a row beside its vector: its neighbours, on 1.1 layers.
const indexRowBytes = 1100

// BuildIndexes builds the indexes that a load took off, also one that was killed, and calls progress at the beginning of
// each and then about once a second. The server takes at most memory bytes for it; an index that does not fit takes
// several times as long. Flags are added when it is done: they wait.
func (db *DB) BuildIndexes(ctx context.Context, memory int64, progress func(IndexProgress)) error {
	rows, err := db.pool.Query(ctx, `SELECT id, signals_of(id), coalesce(2 * (dims + 1), 32) FROM (SELECT id, dims FROM model UNION ALL SELECT NULL, NULL) m
		WHERE NOT has_index(signals_of(id)::regclass) ORDER BY id`)
	if err != nil {
		return err
	}
	type missing struct {
		Model *int // nil: PDQ
		Table string
		Bytes int64 // of a row's vector
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[missing])
	if err != nil {
		return err
	}
	for _, m := range all {
		var rows int64
		err := db.pool.QueryRow(ctx, `SELECT CASE WHEN $1::int IS NULL THEN (SELECT count(*) FROM flagged_pdq)
			ELSE (SELECT count(*) FROM flagged_embedding WHERE model_id = $1) END`, m.Model).Scan(&rows)
		if err != nil {
			return err
		}
		need := max(64<<20, min(memory, rows*(m.Bytes+indexRowBytes)))
		progress(IndexProgress{Table: m.Table})
		build := func(workers string) error { return db.buildIndex(ctx, m.Model, m.Table, need, workers, progress) }
		err = build("DEFAULT")
		if pgCode(err) == diskFull {
			// Workers share memory through /dev/shm, of which containers often have 64 MB. Alone, the server takes ordinary memory.
			err = build("0")
		}
		if err != nil {
			return fmt.Errorf("build the index of %s: %w", m.Table, err)
		}
	}
	return nil
}

const diskFull = "53100"

func (db *DB) buildIndex(ctx context.Context, model *int, table string, memory int64, workers string, progress func(IndexProgress)) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		watching, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		pid := tx.Conn().PgConn().PID()
		go func() {
			defer close(done)
			db.watchIndex(watching, pid, table, progress)
		}()
		defer func() { stop(); <-done }()
		settings := fmt.Sprintf("SET LOCAL maintenance_work_mem = '%dkB'; SET LOCAL max_parallel_maintenance_workers = %s", memory>>10, workers)
		if _, err := tx.Conn().PgConn().Exec(ctx, settings).ReadAll(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "SELECT build_index($1)", model)
		return err
	})
}

// watchIndex reports what the server says of its process pid until ctx is done.
func (db *DB) watchIndex(ctx context.Context, pid uint32, table string, progress func(IndexProgress)) {
	for {
		p := IndexProgress{Table: table}
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
