package matchdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// candidateIndex is a set in memory of what flags are found by, which says where to look for what is near.
type candidateIndex[S interface {
	Len() int
	Bytes() int64
}] struct {
	db      *DB
	what    string // for errors
	table   string // which rows are read from; it numbers them, see serverSQL
	columns string // that are read of each row, the picture's id among them
	rows    string // which those are: a FROM clause with a WHERE, of a table that says by what transaction a row was added
	empty   func(context.Context, pgx.Tx) (S, error)
	take    func(pgx.Rows, S) (uuid.UUID, error)   // puts a row into the set
	taken   func(context.Context, pgx.Tx, S) error // all rows that were read are put into the set
	stale   func(have *indexState[S]) bool         // all is to be read again, whatever the server
	// purge takes what is deleted out of the set, while it is searched, and tells whether the index may forget which pictures those were.
	purge func(set S, deleted map[uuid.UUID]bool) bool

	changed statement // whether the server is another one than the index was read from
	compare statement // the rows that the index names, and those that it lacks
	deleted statement // which of the pictures that compare compares have no row any more

	turn chan struct{} // held while rows are read
	have atomic.Pointer[indexState[S]]
}

// indexState is what was read up to a moment.
type indexState[S any] struct {
	set      S
	first    int       // how many were read at once
	snapshot string    // the server's; what it does not see as committed may be lacking
	server   string    // the life of the server and of the table that the snapshot belongs to, see serverSQL
	at       time.Time // of the reading, by our own clock
	deleted  map[uuid.UUID]bool
	released bool // the set is empty: it was of another server, and is being read
}

const (
	readEvery = time.Second
	readTime  = 10 * time.Minute // that a reading of all may take
	// With so many more than four times of the few that were read at first, fewer than so many, all are read again: what was made for few
	// does not fit many.
	readAnew    = 10_000
	mostDeleted = 1_000 // pictures, which are in the way, before they are purged

	tellEvery = time.Minute // that readings fail
)

// warm reads all where that was not done, and returns how many rows there are and the bytes that are kept of them.
func (m *candidateIndex[S]) warm(ctx context.Context) (rows int, bytes int64, err error) {
	have, err := m.get(ctx)
	if err != nil {
		return 0, 0, err
	}
	return have.set.Len(), have.set.Bytes(), nil
}

// get returns what is read. At first use all is; from then on it is followed until the library is closed. The error is errServerChanged
// while all is read from another server.
func (m *candidateIndex[S]) get(ctx context.Context) (*indexState[S], error) {
	if have := m.have.Load(); have != nil {
		if have.released {
			return nil, errServerChanged
		}
		return have, nil
	}
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if have := m.have.Load(); have != nil {
		return have, nil
	}
	if err := m.readInTurn(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", m.what, err)
	}
	m.db.followed.Go(func() { m.follow(m.db.life) })
	return m.have.Load(), nil
}

// read reads what was added since the last time, or all.
func (m *candidateIndex[S]) read(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
		return m.readInTurn(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow reads what was added, until ctx is done. What it lacks meanwhile is compared one by one by each Match.
func (m *candidateIndex[S]) follow(ctx context.Context) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	var told time.Time // when a failure was last logged, since readings fail
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			reading, cancel := context.WithTimeout(ctx, readTime)
			err := m.read(reading)
			cancel()
			switch {
			case ctx.Err() != nil:
			case err != nil && time.Since(told) >= tellEvery:
				m.db.log().Warn("the library cannot be read into memory; each search compares what was flagged since one by one",
					"what", m.what, "last_read", m.have.Load().at, "error", err)
				told = time.Now()
			case err == nil && !told.IsZero():
				m.db.log().Info("the library is read into memory again", "what", m.what)
				told = time.Time{}
			}
		}
	}
}

// notInSnapshotSQL is true of the rows that a snapshot, the parameter %[1]s, does not see. A number that the server has not given out
// yet is not of this server: pg_restore brought it, and the row was read with all others when its table was new, see serverSQL.
const notInSnapshotSQL = "added >= pg_snapshot_xmin(%[1]s::pg_snapshot) AND added < pg_snapshot_xmax(pg_current_snapshot()) AND " +
	"NOT pg_visible_in_snapshot(added, %[1]s::pg_snapshot)"

// serverSQL names the life of the server and of the table %[1]s, in which added can be compared with a snapshot:
//
//   - the server's start, which a failover changes;
//   - when it last reset its statistics, which recovery from a crash does: transaction numbers that were not written to disk
//     are given out again;
//   - the table and its trigger, which writes the number. pg_restore makes both anew, or disables and enables the trigger, and
//     its rows keep the numbers of the server that was dumped.
//
// NULL: the trigger is missing or disabled, so that nothing can be said of added.
const serverSQL = `(SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
		(SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter), g.tgrelid, g.oid, g.xmin)
	FROM pg_trigger g WHERE g.tgrelid = to_regclass('%[1]s') AND g.tgname = 'number_added' AND g.tgenabled IN ('A', 'O'))`

// serverChanged says whether the server or the table is another one than that of @snapshot: serverSQL was @server then.
func serverChanged(table string) statement {
	return newStatement("SELECT "+fmt.Sprintf(serverSQL, table)+` IS DISTINCT FROM @server::text
		OR pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(@snapshot::pg_snapshot)`, 0)
}

// snapshotSQL is the transaction's snapshot. A standby's does not say which transactions are open: all from the oldest on count as
// such there. Its argument is serverSQL.
const snapshotSQL = `SELECT CASE WHEN pg_is_in_recovery() THEN format('%%s:%%1$s:', pg_snapshot_xmin(s)) ELSE s::text END, %s
	FROM pg_current_snapshot() s`

// readInTurn is read for the one who holds turn.
func (m *candidateIndex[S]) readInTurn(ctx context.Context) error {
	next := indexState[S]{at: time.Now()}
	// One transaction sees as committed what its snapshot does, whatever server it is of.
	err := pgx.BeginTxFunc(ctx, m.db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var server *string
		if err := tx.QueryRow(ctx, fmt.Sprintf(snapshotSQL, fmt.Sprintf(serverSQL, m.table))).Scan(&next.snapshot, &server); err != nil {
			return err
		}
		if server == nil {
			return fmt.Errorf("%w: table %s", errUnnumbered, m.table)
		}
		next.server = *server
		return m.fill(ctx, tx, &next)
	})
	have := m.have.Load()
	if err != nil {
		if have != nil && errors.Is(m.orServerChanged(ctx, have, err), errServerChanged) {
			m.db.renew()
		}
		return err
	}
	m.have.Store(&next)
	if have != nil && have.server != next.server {
		m.db.log().Warn("the database was started again, recovered from a crash or restored: all was read anew", "what", m.what, "rows", next.set.Len())
		m.db.renew()
	}
	return nil
}

// orServerChanged returns the error of a statement about have, or errServerChanged where that is the reason: while a library is restored
// tables are missing, and then types have other numbers than the connections know.
func (m *candidateIndex[S]) orServerChanged(ctx context.Context, have *indexState[S], err error) error {
	if Retryable(err) {
		return err
	}
	var other bool
	if m.db.pool.QueryRow(ctx, m.changed.sql, have.server, have.snapshot).Scan(&other) == nil && other {
		return errServerChanged
	}
	return err
}

// fill reads into next what it has more than what is read, or all.
func (m *candidateIndex[S]) fill(ctx context.Context, tx pgx.Tx, next *indexState[S]) error {
	have, other := m.have.Load(), false
	if have != nil {
		err := tx.QueryRow(ctx, m.changed.sql, have.server, have.snapshot).Scan(&other)
		if err != nil {
			return err
		}
	}
	if have != nil && !other && !m.stale(have) {
		next.set, next.first, next.deleted = have.set, have.first, have.deleted
		back := map[uuid.UUID]bool{}
		err := m.add(ctx, tx, next.set, back, " AND "+fmt.Sprintf(notInSnapshotSQL, "$1"), have.snapshot)
		if len(back) > 0 {
			next.deleted = maps.Clone(next.deleted)
			maps.DeleteFunc(next.deleted, func(id uuid.UUID, _ bool) bool { return back[id] })
		}
		if err == nil && m.purge(next.set, next.deleted) {
			next.deleted = map[uuid.UUID]bool{}
		}
		return err
	}
	var err error
	if other {
		if err := m.release(ctx, tx, have); err != nil {
			return err
		}
	}
	if next.set, err = m.empty(ctx, tx); err != nil {
		return err
	}
	next.deleted = map[uuid.UUID]bool{}
	err = m.add(ctx, tx, next.set, nil, "")
	next.first = next.set.Len()
	return err
}

// add adds the rows that a condition holds for to the set, and their pictures to seen where it is given.
func (m *candidateIndex[S]) add(ctx context.Context, tx pgx.Tx, set S, seen map[uuid.UUID]bool, condition string, args ...any) error {
	rows, err := tx.Query(ctx, "SELECT "+m.columns+" "+m.rows+condition, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		id, err := m.take(rows, set)
		if err != nil {
			return err
		}
		m.db.rowsRead.Add(1)
		if seen != nil {
			seen[id] = true
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return m.taken(ctx, tx, set)
}

// release gives the memory of what was read from another server back before all is read anew. Searches fail meanwhile, as they would
// with it.
func (m *candidateIndex[S]) release(ctx context.Context, tx pgx.Tx, have *indexState[S]) error {
	none, err := m.empty(ctx, tx)
	if err != nil {
		return err
	}
	m.have.Store(&indexState[S]{set: none, snapshot: have.snapshot, server: have.server, at: have.at, released: true})
	runtime.GC() // most of the memory is not Go's, whose collector does not see it
	return nil
}

// RowsRead is how many rows of the library were read into memory since it was opened. It rises while they are read.
func (db *DB) RowsRead() int64 { return db.rowsRead.Load() }

// LastRead is when what flags are found by was last read: of embeddings, hashes and keypoints those that were read longest ago, and zero
// where none were yet. What was flagged since counts too, but is compared one by one: with much of it each Match is slow.
func (db *DB) LastRead() time.Time {
	var last time.Time
	if have := db.hashes.have.Load(); have != nil {
		last = have.at
	}
	if have := db.keypoints.have.Load(); have != nil && (last.IsZero() || have.at.Before(last)) {
		last = have.at
	}
	db.sketches.Range(func(_, of any) bool {
		if have := of.(*sketches).have.Load(); have != nil && (last.IsZero() || have.at.Before(last)) {
			last = have.at
		}
		return true
	})
	return last
}

// search runs the index's statements in one round trip and one snapshot of the database, with the arguments of both, to which it
// adds the index's. Each row of compare is scanned into fields, for which row is then called. It returns the candidates that are
// deleted. The error is errServerChanged where have is of another server.
func (m *candidateIndex[S]) search(
	ctx context.Context, have *indexState[S], named arguments, fields []any, row func() error,
) (deleted []uuid.UUID, err error) {
	return m.searchBy(ctx, m.compare, have, named, fields, row)
}

// searchBy is search with another statement in place of compare.
func (m *candidateIndex[S]) searchBy(
	ctx context.Context, compare statement, have *indexState[S], named arguments, fields []any, row func() error,
) (deleted []uuid.UUID, err error) {
	named["server"], named["snapshot"] = have.server, have.snapshot
	var changed bool
	var batch pgx.Batch // a transaction, see planOnce
	batch.Queue(m.changed.sql, m.changed.values(named)...).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&changed); err != nil || !changed {
			return err
		}
		return errServerChanged
	})
	batch.Queue(compare.sql, compare.values(named)...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, fields, row)
		return err
	})
	batch.Queue(m.deleted.sql, m.deleted.values(named)...).Query(func(rows pgx.Rows) (err error) {
		deleted, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err := m.db.matching.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, m.orServerChanged(ctx, have, err)
	}
	return deleted, nil
}

// forget passes over pictures that are no longer there, unless something was read since: they may be back.
func (m *candidateIndex[S]) forget(since *indexState[S], deleted []uuid.UUID) {
	if len(deleted) == 0 {
		return
	}
	next := *since
	next.deleted = maps.Clone(since.deleted)
	for _, id := range deleted {
		next.deleted[id] = true
	}
	m.have.CompareAndSwap(since, &next)
}
