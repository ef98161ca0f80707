package matchdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Exchange is a hash-sharing programme, or another source, that is fetched into a bank.
type Exchange struct {
	ID        int
	Name      string // 1 to 63 of a-z 0-9 -
	Programme string
	Bank      string
	Enabled   bool
	Settings  json.RawMessage // an object, without credentials
	State     ExchangeState
}

// ExchangeState says how far an exchange is fetched. A nil time is "never".
type ExchangeState struct {
	Checkpoint   json.RawMessage // the source's place behind the stored records; nil: its beginning
	Whole        bool            // a whole fetch is due or under way: its end drops what did not come again
	ProgressedAt *time.Time      // when Checkpoint was stored
	StartedAt    *time.Time      // of the last fetch
	FetchedAt    *time.Time      // when a fetch last reached the source's end
	FailedAt     *time.Time      // of the last fetch, nil if it did not fail
	Error        string          // of that fetch, one line
	Hashes       int64           // stored, over all entries
	Refused      map[string]int64
	Running      bool // some process fetches it now

	FeedbackWaiting int64 // for its source to take it
}

// Status tells a fetch that reached its source's end from one that runs, failed or was interrupted: new, running, complete, interrupted,
// failed or disabled.
func (e Exchange) Status() string {
	s := e.State
	switch {
	case s.Running:
		return "running"
	case !e.Enabled:
		return "disabled"
	case s.FailedAt != nil:
		return "failed"
	case s.StartedAt == nil:
		return "new"
	case s.FetchedAt == nil || s.FetchedAt.Before(*s.StartedAt):
		return "interrupted"
	}
	return "complete"
}

const exchangeColumns = `e.id, e.name, e.programme, b.name, e.enabled, e.settings, s.checkpoint, s.whole, s.progressed_at, s.started_at, s.fetched_at,
	s.failed_at, coalesce(s.error, ''), s.hashes, s.refused,
	EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 'exchange'::regclass AND l.objid = e.id AND l.granted
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())),
	(SELECT count(*) FROM exchange_feedback f WHERE f.exchange_id = e.id AND f.sent_at IS NULL)
	FROM exchange e JOIN exchange_state s ON s.exchange_id = e.id JOIN bank b ON b.id = e.bank_id`

func scanExchange(row pgx.CollectableRow) (Exchange, error) {
	var e Exchange
	s := &e.State
	err := row.Scan(&e.ID, &e.Name, &e.Programme, &e.Bank, &e.Enabled, &e.Settings, &s.Checkpoint, &s.Whole, &s.ProgressedAt, &s.StartedAt, &s.FetchedAt,
		&s.FailedAt, &s.Error, &s.Hashes, &s.Refused, &s.Running, &s.FeedbackWaiting)
	return e, err
}

// Exchanges returns all exchanges by name.
func (db *DB) Exchanges(ctx context.Context) ([]Exchange, error) {
	rows, err := db.pool.Query(ctx, "SELECT "+exchangeColumns+" ORDER BY e.name")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanExchange)
}

// Exchange returns one exchange, or an error that wraps ErrNotFound.
func (db *DB) Exchange(ctx context.Context, name string) (Exchange, error) {
	rows, err := db.pool.Query(ctx, "SELECT "+exchangeColumns+" WHERE e.name = $1", name)
	if err != nil {
		return Exchange{}, err
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanExchange)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, unknownExchange(name)
	}
	return e, err
}

func unknownExchange(name string) error {
	return fmt.Errorf("exchange %.80q: %w: `flagctl exchange list` shows the exchanges, `flagctl exchange add` makes one", name, ErrNotFound)
}

var exchangeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// AddExchange makes the exchange, enabled, of which Name, Programme, Bank and Settings count. Errors wrap ErrInvalid, ErrExists or
// ErrUnknownBank.
func (db *DB) AddExchange(ctx context.Context, e Exchange, by, reason string) error {
	if !exchangeName.MatchString(e.Name) {
		return fmt.Errorf("%w exchange name %.80q: want 1 to 63 of a-z 0-9 -, beginning with a letter or a digit", ErrInvalid, e.Name)
	}
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		var bank, id int
		err := tx.QueryRow(ctx, "SELECT id FROM bank WHERE name = $1", e.Bank).Scan(&bank)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknownBank(e.Bank)
		}
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, "INSERT INTO exchange (name, programme, bank_id, settings) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id",
			e.Name, e.Programme, bank, e.Settings).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("exchange %s: %w", e.Name, ErrExists)
		}
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO exchange_state (exchange_id) VALUES ($1)", id)
		}
		return err
	})
}

// SwitchExchange enables the exchange or disables it: it is fetched no more, and its flags stay. The error of an unknown one wraps ErrNotFound.
func (db *DB) SwitchExchange(ctx context.Context, name string, on bool, by, reason string) error {
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE exchange SET enabled = $2 WHERE name = $1", name, on)
		if err == nil && tag.RowsAffected() == 0 {
			return unknownExchange(name)
		}
		return err
	})
}

// MayFetch reports whether the login may store what exchanges say.
func (db *DB) MayFetch(ctx context.Context) (may bool, err error) {
	err = db.pool.QueryRow(ctx, "SELECT has_table_privilege('exchange_record', 'INSERT') AND NOT pg_is_in_recovery()").Scan(&may)
	return may, err
}

// RemoveExchange deletes the exchange and forgets its flags, and returns how many those were. Errors wrap ErrNotFound, or ErrBusy while it is fetched.
func (db *DB) RemoveExchange(ctx context.Context, name, by, reason string) (forgotten int, err error) {
	fetch, err := db.LockExchange(ctx, name)
	if err != nil {
		return 0, err
	}
	defer fetch.Close()
	err = withAuditOn(ctx, fetch.conn, by, reason, func(tx pgx.Tx) error {
		gone, err := removeRecords(ctx, tx, "DELETE FROM exchange_record WHERE exchange_id = $1 RETURNING image_id", fetch.ID)
		if err != nil {
			return err
		}
		if forgotten, err = forget(ctx, tx, gone); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM exchange WHERE id = $1", fetch.ID)
		return err
	})
	return forgotten, err
}

// removeRecords runs a statement that deletes records and returns their flags.
func removeRecords(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// forget forgets those of the flags behind which no record stands any more.
func forget(ctx context.Context, tx pgx.Tx, flags []uuid.UUID) (forgotten int, err error) {
	if len(flags) > 0 {
		err = tx.QueryRow(ctx, "SELECT forget_flags($1)", flags).Scan(&forgotten)
	}
	return forgotten, err
}
