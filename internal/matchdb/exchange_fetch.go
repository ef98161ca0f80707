package matchdb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"moderator/internal/hashlist"
)

// ExchangeFetch is the right to fetch an exchange: a session's advisory lock. All that it stores goes through that session, so that
// nothing is stored once the lock is lost. It is not safe for concurrent use.
type ExchangeFetch struct {
	Exchange
	conn *pgxpool.Conn
	db   *DB
}

// ExchangePage is a part of what a source says.
type ExchangePage struct {
	Entries    []ExchangeEntry // a later one replaces an earlier one of the same key
	Checkpoint json.RawMessage // the place behind them; nil: as before
	Refused    map[string]int  // hashes that are not taken, by reason
}

// ExchangeEntry is the latest state of an entry.
type ExchangeEntry struct {
	Key     string          // the source's own
	Address string          // by which feedback names it, where that is not Key
	Flags   []hashlist.Flag // one for each hash, whose Bank is the exchange's if it is empty; none: the entry is deleted
}

// ExchangeChange counts what a page changed.
type ExchangeChange struct {
	Stored, Removed int // hashes of entries
	Forgotten       int // flags
}

// LockExchange takes the right to fetch the exchange. Errors wrap ErrNotFound, or ErrBusy while another process has it.
func (db *DB) LockExchange(ctx context.Context, name string) (*ExchangeFetch, error) {
	found, err := db.Exchange(ctx, name)
	if err != nil {
		return nil, err
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	var locked bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock('exchange'::regclass::oid::int, $1)", found.ID).Scan(&locked)
	if err == nil && !locked {
		err = fmt.Errorf("exchange %s is %w", name, ErrBusy)
	}
	f := &ExchangeFetch{conn: conn, db: db}
	if err == nil {
		f.Exchange, err = db.Exchange(ctx, name) // as the last fetch left it
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close gives the right back.
func (f *ExchangeFetch) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if _, err := f.conn.Exec(ctx, "SELECT pg_advisory_unlock_all()"); err != nil {
		_ = f.conn.Conn().Close(ctx) // which unlocks too
	}
	f.conn.Release()
}

// Begin notes that a fetch begins. With anew it is a whole one from the source's beginning, as the first one is.
func (f *ExchangeFetch) Begin(ctx context.Context, anew bool) error {
	s := &f.State
	if s.Checkpoint == nil {
		anew = true // a whole fetch that stored no place has no part that could be left out
	}
	s.Whole = s.Whole || anew
	if anew {
		s.Checkpoint = nil
	}
	_, err := f.conn.Exec(ctx, `UPDATE exchange_state SET started_at = now(), failed_at = NULL, error = NULL, whole = $2,
		round = CASE WHEN $3 THEN round + 1 ELSE round END, checkpoint = CASE WHEN $3 THEN NULL ELSE checkpoint END,
		refused = CASE WHEN $3 THEN '{}' ELSE refused END WHERE exchange_id = $1`, f.ID, s.Whole, anew)
	return err
}

// These store a staged page. Whatever refers to the library is looked up for each staged row, in sub-selects that the planner cannot turn
// into joins: it knows nothing of staged rows, and would read the whole library for each page.
const (
	exchangeStagingSQL = `
CREATE TEMP TABLE IF NOT EXISTS list_entry (entry text) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS list_record (entry text, n int, address text) ON COMMIT DELETE ROWS`

	// Flags that are not there yet. A retracted one may have its hash, or the hash's SHA-256 where it was forgotten.
	exchangeFlagsSQL = `INSERT INTO flagged_image (id, bank_id, sha256, sha1, md5, signal_key, source, note, exchanged, created_by)
		SELECT s.id, s.bank_id, s.sha256, s.sha1, s.md5, s.signal_key, s.source, s.note, true, current_setting('moderator.actor') FROM list_flag s
		WHERE (SELECT count(*) FROM flagged_image i WHERE ` + flaggedKey + ` IN (` + stagedKey + `, ` + forgottenKey + `) AND i.retracted_at IS NOT NULL) = 0
		ORDER BY s.bank_id, coalesce(s.sha256, s.sha1, s.md5, s.signal_key) ON CONFLICT DO NOTHING`
	forgottenKey = "(s.bank_id, sha256(coalesce(s.sha256, s.sha1, s.md5, s.signal_key)))"

	// All others take the id of the flag that is there: the active one, locked against retraction until the end (see insertImage), or
	// else the one that was retracted last. One that is retracted meanwhile is seen by a second run.
	exchangeKnownSQL = `WITH other AS MATERIALIZED (
			SELECT s.n, coalesce((SELECT i.id FROM flagged_image i WHERE ` + flaggedKey + ` = ` + stagedKey + ` AND i.retracted_at IS NULL
					LIMIT 1 FOR NO KEY UPDATE),
				(SELECT i.id FROM flagged_image i WHERE ` + flaggedKey + ` IN (` + stagedKey + `, ` + forgottenKey + `) AND i.retracted_at IS NOT NULL
					ORDER BY i.retracted_at DESC LIMIT 1)) AS id
			FROM (SELECT * FROM list_flag l WHERE (SELECT count(*) FROM flagged_image i WHERE i.id = l.id) = 0
				ORDER BY bank_id, coalesce(sha256, sha1, md5, signal_key)) s
		) UPDATE list_flag s SET id = other.id FROM other WHERE s.n = other.n`

	exchangePDQSQL = `INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality)
		SELECT s.id, s.bank_id, p.view, p.hash, p.quality FROM list_pdq p JOIN list_flag s USING (n) WHERE ` + ofActiveFlag + ` ORDER BY s.id ON CONFLICT DO NOTHING`
	exchangeEmbeddingsSQL = `INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding)
		SELECT e.model_id, s.id, s.bank_id, e.view, e.penalty, e.embedding FROM list_embedding e JOIN list_flag s USING (n) WHERE ` + ofActiveFlag + ` ON CONFLICT DO NOTHING`
	exchangeKeypointsSQL = `INSERT INTO flagged_keypoints (image_id, points)
		SELECT s.id, s.keypoints FROM list_flag s WHERE s.keypoints IS NOT NULL AND ` + ofActiveFlag + ` ON CONFLICT DO NOTHING`
	ofActiveFlag = `(SELECT i.retracted_at IS NULL FROM flagged_image i WHERE i.id = s.id)`

	exchangeRecordsSQL = `WITH stored AS (INSERT INTO exchange_record (exchange_id, entry, image_id, round, address)
			SELECT DISTINCT $1::int, r.entry, s.id, (SELECT round FROM exchange_state WHERE exchange_id = $1), r.address FROM list_record r JOIN list_flag s USING (n)
			ON CONFLICT (exchange_id, entry, image_id) DO UPDATE SET round = excluded.round, address = excluded.address RETURNING xmax = 0 AS fresh
		) SELECT count(*) FILTER (WHERE fresh) FROM stored`

	// Only the one who has the exchange's lock changes its records: their places stay until the statement's end.
	exchangeGoneSQL = `DELETE FROM exchange_record WHERE ctid = ANY (ARRAY(SELECT r.place FROM list_entry e,
			LATERAL (SELECT ctid AS place, entry, image_id FROM exchange_record WHERE exchange_id = $1 AND entry = e.entry OFFSET 0) r
			WHERE NOT EXISTS (SELECT FROM list_record l JOIN list_flag s USING (n) WHERE l.entry = r.entry AND s.id = r.image_id)))
		RETURNING image_id`

	// A withdrawn hash may be a part of its entry's key.
	exchangeOpinionsSQL = `DELETE FROM exchange_feedback f USING list_entry e WHERE f.exchange_id = $1 AND f.entry = e.entry
		AND NOT EXISTS (SELECT FROM list_record l WHERE l.entry = e.entry)`

	exchangeProgressSQL = `UPDATE exchange_state SET checkpoint = coalesce($2, checkpoint), progressed_at = now(), hashes = hashes + $3,
		refused = (SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (SELECT key, sum(value::bigint) AS n
			FROM (SELECT * FROM jsonb_each_text(refused) UNION ALL SELECT * FROM jsonb_each_text($4)) u GROUP BY key) c) WHERE exchange_id = $1`
)

// Store stores a page and its checkpoint in one transaction; the same page again changes nothing.
func (f *ExchangeFetch) Store(ctx context.Context, page ExchangePage) (c ExchangeChange, err error) {
	if page.Refused == nil {
		page.Refused = map[string]int{}
	}
	if err := f.checkEmbeddings(ctx, page); err != nil {
		return c, err
	}
	flags, records, entries := pageRows(page, f.Bank)
	banks := []string{f.Bank}
	for _, flag := range flags {
		banks = append(banks, flag.Bank)
	}
	staged, err := f.db.stage(ctx, flags, false)
	if err != nil {
		return c, err
	}
	err = withAuditOn(ctx, f.conn, "exchange "+f.Name, "", func(tx pgx.Tx) error {
		// One page of a bank at a time: another exchange could forget a flag that this one is about to refer to.
		if _, err := tx.Exec(ctx, "SELECT FROM bank WHERE name = ANY ($1) ORDER BY id FOR NO KEY UPDATE", banks); err != nil {
			return err
		}
		if _, err := tx.Conn().PgConn().Exec(ctx, loadSettings).ReadAll(); err != nil {
			return err
		}
		if err := staged.copy(ctx, tx); err != nil {
			return err
		}
		if err := copyRecords(ctx, tx, records, entries); err != nil {
			return err
		}
		for _, sql := range []string{exchangeFlagsSQL, exchangeKnownSQL, exchangeKnownSQL, exchangePDQSQL, exchangeEmbeddingsSQL, exchangeKeypointsSQL} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		gone, err := removeRecords(ctx, tx, exchangeGoneSQL, f.ID)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, exchangeRecordsSQL, f.ID).Scan(&c.Stored); err != nil {
			return err
		}
		c.Removed = len(gone)
		if c.Forgotten, err = forget(ctx, tx, gone); err != nil { // but what another entry of the page has now
			return err
		}
		if _, err := tx.Exec(ctx, exchangeOpinionsSQL, f.ID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, exchangeProgressSQL, f.ID, page.Checkpoint, c.Stored-c.Removed, page.Refused)
		return err
	})
	return c, err
}

// checkEmbeddings takes the embeddings of models that this library does not have out of the page, and counts flags that had nothing else.
func (f *ExchangeFetch) checkEmbeddings(ctx context.Context, page ExchangePage) error {
	for i, e := range page.Entries {
		kept := e.Flags[:0]
		for _, flag := range e.Flags {
			if len(flag.Embeddings) > 0 {
				of := flag
				of.Bank = f.Bank
				err := f.db.CheckFlag(ctx, of)
				if Retryable(err) || ctx.Err() != nil {
					return err
				}
				if err != nil {
					flag.Embeddings, flag.Keypoints = nil, nil
				}
			}
			if !flag.HasFile() && len(flag.PDQ)+len(flag.Embeddings) == 0 {
				page.Refused["embedding of another model"]++
				continue
			}
			kept = append(kept, flag)
		}
		page.Entries[i].Flags = kept
	}
	return nil
}

// pageRows numbers the page's flags, each key once, and ties entries to them.
func pageRows(page ExchangePage, bank string) (flags []hashlist.Flag, records [][]any, entries [][]any) {
	last := map[string]int{}
	for i, e := range page.Entries {
		last[e.Key] = i
	}
	numbers := map[string]int32{}
	for i, e := range page.Entries {
		if last[e.Key] != i {
			continue
		}
		entries = append(entries, []any{e.Key})
		for _, f := range e.Flags {
			if f.Bank == "" {
				f.Bank = bank
			}
			key := f.Bank + " " + string(f.Key())
			n, known := numbers[key]
			if !known {
				n = int32(len(flags))
				numbers[key] = n
				flags = append(flags, f)
			}
			records = append(records, []any{e.Key, n, e.Address})
		}
	}
	return flags, records, entries
}

func copyRecords(ctx context.Context, tx pgx.Tx, records, entries [][]any) error {
	if _, err := tx.Conn().PgConn().Exec(ctx, "SET LOCAL client_min_messages = warning;"+exchangeStagingSQL).ReadAll(); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"list_record"}, []string{"entry", "n", "address"}, pgx.CopyFromRows(records)); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"list_entry"}, []string{"entry"}, pgx.CopyFromRows(entries))
	return err
}

// End notes that the source's end is reached. After a whole fetch it removes what did not come again.
func (f *ExchangeFetch) End(ctx context.Context) (c ExchangeChange, err error) {
	err = withAuditOn(ctx, f.conn, "exchange "+f.Name, "did not come again", func(tx pgx.Tx) error {
		if f.State.Whole {
			gone, err := removeRecords(ctx, tx, `DELETE FROM exchange_record r USING exchange_state s
				WHERE r.exchange_id = $1 AND s.exchange_id = $1 AND r.round < s.round RETURNING r.image_id`, f.ID)
			if err != nil {
				return err
			}
			c.Removed = len(gone)
			if c.Forgotten, err = forget(ctx, tx, gone); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE exchange_state SET fetched_at = now(), progressed_at = now(), whole = false, hashes = hashes - $2
			WHERE exchange_id = $1`, f.ID, c.Removed)
		return err
	})
	return c, err
}

// Fail notes why a fetch ended early; what it stored stays, and the next fetch goes on behind it.
func (f *ExchangeFetch) Fail(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	_, err := f.conn.Exec(ctx, "UPDATE exchange_state SET failed_at = $2, error = $3 WHERE exchange_id = $1", f.ID, time.Now(), why.Error())
	return err
}
