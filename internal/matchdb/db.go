package matchdb

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxvec "github.com/pgvector/pgvector-go/pgx"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

const connectTimeout = 10 * time.Second

// session is set on every connection. Of an index of nearest neighbours, which the allow-list has, 200 candidates are looked at,
// since pgvector's 40 miss near copies, and iterative_scan goes on when dead rows used them up. Pages are as good as in memory:
// those that are read are always the same.
const session = `
SET hnsw.ef_search = 200;
SET hnsw.iterative_scan = relaxed_order;
SET random_page_cost = 1.1;
SET jit = off`

// How connections plan statements. Those of matching are planned once: planning takes as long as half of a search, and nothing
// in these statements but the tables, whose changes the server knows of, could make another plan better. They never read a
// table from end to end, whatever the server assumes of arguments that it does not know. A batch of them is a transaction, and
// sees one snapshot.
const (
	planEachTime = "SET plan_cache_mode = force_custom_plan"
	planOnce     = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; " +
		"SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on"
)

// DB is the library. It is safe for concurrent use.
type DB struct {
	// Logger hears of readings of the library into memory that fail. Nil: slog.Default(). Set it before the first search.
	Logger *slog.Logger
	// Vectors is where embeddings are kept for searches: as sketches in this machine's memory, unless it is set before the first search.
	Vectors Vectors

	pool      *pgxpool.Pool
	matching  *pgxpool.Pool // of the same database, for the searches of every upload
	models    sync.Map      // fingerprint -> registered, which never changes
	sketches  sync.Map      // id of a model -> *sketches
	hashes    *candidateIndex[*hashSet]
	keypoints *candidateIndex[*keypointSet]
	life      context.Context
	end       context.CancelFunc
	rowsRead  atomic.Int64
	followed  sync.WaitGroup // candidate indexes, until life ends
}

// Open connects to a library that is migrated; CheckSchema says whether it is. It fails when the database cannot be
// reached within ten seconds, with one line that names the host and never the password.
func Open(ctx context.Context, url string) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, urlError(url, err)
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if err := refusePooling(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	db := &DB{Vectors: inMemory}
	if db.pool, err = newPool(ctx, config, planEachTime); err != nil {
		return nil, err
	}
	if err := db.pool.Ping(ctx); err != nil {
		db.pool.Close()
		return nil, unreachable(config.ConnConfig, err)
	}
	if db.matching, err = newPool(ctx, config, planOnce); err != nil {
		db.pool.Close()
		return nil, err
	}
	db.hashes = newHashes(db)
	db.keypoints = newKeypoints(db)
	db.life, db.end = context.WithCancel(context.Background())
	return db, nil
}

// newPool makes a pool whose connections are opened when they are needed.
func newPool(ctx context.Context, config *pgxpool.Config, plan string) (*pgxpool.Pool, error) {
	config = config.Copy()
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return prepareConn(ctx, conn, plan) }
	return pgxpool.NewWithConfig(ctx, config)
}

// prepareConn sets the session up and teaches the connection google's UUIDs, which pgx would else write as text and read
// again, thousands a batch, and pgvector's types, where the database has them.
func prepareConn(ctx context.Context, conn *pgx.Conn, plan string) error {
	pgxuuid.Register(conn.TypeMap())
	if _, err := conn.PgConn().Exec(ctx, session+"; "+plan).ReadAll(); err != nil {
		return err
	}
	var present bool
	if err := conn.QueryRow(ctx, "SELECT to_regtype('vector') IS NOT NULL").Scan(&present); err != nil || !present {
		return err
	}
	return pgxvec.RegisterTypes(ctx, conn)
}

// Close ends the connections, when their statements are done.
func (db *DB) Close() {
	db.end()
	db.followed.Wait()
	db.matching.Close()
	db.pool.Close()
}

func (db *DB) log() *slog.Logger { return cmp.Or(db.Logger, slog.Default()) }

// renew forgets what connections and we know of the database's types and models: another one may have taken its place.
func (db *DB) renew() {
	db.models.Clear()
	db.pool.Reset()
	db.matching.Reset()
}

// Ping asks the server for a sign of life.
func (db *DB) Ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// urlError says what is wrong with a connection string without quoting it: pgx finds passwords in it only where it is well formed.
func urlError(connection string, err error) error {
	const want = "want postgres://user:password@host:port/database, with what the password has of : / @ ? # % percent-encoded"
	why := oneLine(err)
	if i := strings.LastIndex(why, "`: "); i >= 0 { // behind the string
		why = why[i+3:]
	}
	_, malformed := url.Parse(connection)
	if malformed != nil || !strings.Contains(connection, "://") && strings.Contains(why, "connection info string") {
		why = "it cannot be parsed" // the reason quotes what may be a part of the password
	}
	return fmt.Errorf("--database-url: %s: %s", why, want)
}

func unreachable(c *pgx.ConnConfig, err error) error {
	address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if c.Host != "" && c.Host[0] == '/' {
		address = c.Host
	}
	return &openError{
		text: fmt.Sprintf("Postgres at %s, database %q, user %q: %s: start it, or correct --database-url",
			address, c.Database, c.User, oneLine(err)),
		err: err,
	}
}

// openError is one line for people; the whole error is what it wraps.
type openError struct {
	text string
	err  error
}

func (e *openError) Error() string { return e.text }

func (e *openError) Unwrap() error { return e.err }

// withAudit runs do in a transaction whose changes the audit log ascribes to the person by, for that reason; "" is none.
func (db *DB) withAudit(ctx context.Context, by, reason string, do func(pgx.Tx) error) error {
	return withAuditOn(ctx, db.pool, by, reason, do)
}

// withAuditOn is withAudit on one connection, or on any of a pool.
func withAuditOn(ctx context.Context, on interface {
	Begin(context.Context) (pgx.Tx, error)
}, by, reason string, do func(pgx.Tx) error,
) error {
	return pgx.BeginFunc(ctx, on, func(tx pgx.Tx) error {
		const set = "SELECT set_config('moderator.actor', $1, true), set_config('moderator.reason', $2, true)"
		if _, err := tx.Exec(ctx, set, by, reason); err != nil {
			return err
		}
		return do(tx)
	})
}
