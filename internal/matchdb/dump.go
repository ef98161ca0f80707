package matchdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/hashlist"
	"moderator/internal/pdq"
)

// Dump says what of the library goes into a list.
type Dump struct {
	Bank       string // "" for all
	HashesOnly bool   // without embeddings and keypoints
}

// dumpRows is how many flags are read at once.
const dumpRows = 1000

// Dump calls begin with the list's header and each with its active flags, as they are at one moment, in an order that
// follows from what they hold: banks by name, in a bank by SHA-256, or the SHA-1, MD5 or signals where it is not known. The
// error of a bank that is not there wraps ErrUnknownBank.
func (db *DB) Dump(ctx context.Context, what Dump, begin func(hashlist.Header) error, each func(hashlist.Flag) error) error {
	if what.Bank != "" {
		if _, err := db.Bank(ctx, what.Bank); err != nil {
			return err
		}
	}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, db.pool, moment, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, name, enabled FROM bank WHERE $1 IN ('', name)
			AND EXISTS (SELECT FROM flagged_image i WHERE i.bank_id = bank.id AND i.retracted_at IS NULL) ORDER BY name COLLATE "C"`, what.Bank)
		if err != nil {
			return err
		}
		type bank struct {
			ID      int
			Name    string
			Enabled bool
		}
		banks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[bank])
		if err != nil {
			return err
		}
		var header hashlist.Header
		var ids []int
		for _, b := range banks {
			ids = append(ids, b.ID)
			if !b.Enabled {
				header.DisabledBanks = append(header.DisabledBanks, b.Name)
			}
		}
		if !what.HashesOnly {
			if header.Models, err = dumpedModels(ctx, tx, ids); err != nil {
				return err
			}
		}
		if err := begin(header); err != nil {
			return err
		}
		for _, b := range banks {
			if err := dumpBank(ctx, tx, b.ID, b.Name, what, each); err != nil {
				return err
			}
		}
		return nil
	})
}

func dumpedModels(ctx context.Context, tx pgx.Tx, banks []int) ([]hashlist.Model, error) {
	rows, err := tx.Query(ctx, `SELECT fingerprint, dims FROM model m
		WHERE EXISTS (SELECT FROM flagged_embedding e WHERE e.model_id = m.id AND e.bank_id = ANY ($1)) ORDER BY fingerprint COLLATE "C"`, banks)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[hashlist.Model])
}

func dumpBank(ctx context.Context, tx pgx.Tx, id int, name string, what Dump, each func(hashlist.Flag) error) error {
	after := []byte{}
	for {
		rows, err := tx.Query(ctx, `SELECT i.id, i.sha256, i.sha1, i.md5, i.source, i.note, k.points, coalesce(sha256, sha1, md5, signal_key)
			FROM flagged_image i LEFT JOIN flagged_keypoints k ON k.image_id = i.id AND NOT $4
			WHERE bank_id = $1 AND retracted_at IS NULL AND coalesce(sha256, sha1, md5, signal_key) > $2
			ORDER BY coalesce(sha256, sha1, md5, signal_key) LIMIT $3`, id, after, dumpRows, what.HashesOnly)
		if err != nil {
			return err
		}
		var ids []uuid.UUID
		flags, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*hashlist.Flag, error) {
			f := &hashlist.Flag{Bank: name}
			var id uuid.UUID
			err := row.Scan(&id, &f.SHA256, &f.SHA1, &f.MD5, &f.Source, &f.Note, &f.Keypoints, &after)
			ids = append(ids, id)
			return f, err
		})
		if err != nil {
			return err
		}
		if err := dumpSignals(ctx, tx, ids, flags, what); err != nil {
			return err
		}
		for _, f := range flags {
			f.Sort()
			if err := each(*f); err != nil {
				return err
			}
		}
		if len(flags) < dumpRows {
			return nil
		}
	}
}

// dumpSignals fills in the flags' hashes and embeddings.
func dumpSignals(ctx context.Context, tx pgx.Tx, ids []uuid.UUID, flags []*hashlist.Flag, what Dump) error {
	of := make(map[uuid.UUID]*hashlist.Flag, len(ids))
	for i, id := range ids {
		of[id] = flags[i]
	}
	rows, err := tx.Query(ctx, "SELECT image_id, view, hash, quality FROM flagged_pdq WHERE image_id = ANY ($1)", ids)
	if err != nil {
		return err
	}
	var id uuid.UUID
	var p hashlist.PDQ
	var bits pgtype.Bits
	_, err = pgx.ForEachRow(rows, []any{&id, &p.View, &bits, &p.Quality}, func() error {
		p.Hash = pdq.Hash(bits.Bytes)
		of[id].PDQ = append(of[id].PDQ, p)
		return nil
	})
	if err != nil || what.HashesOnly {
		return err
	}
	rows, err = tx.Query(ctx, `SELECT image_id, fingerprint, view, penalty, embedding FROM flagged_embedding JOIN model m ON m.id = model_id
		WHERE image_id = ANY ($1)`, ids)
	if err != nil {
		return err
	}
	var e hashlist.Embedding
	var vector pgvector.HalfVector
	_, err = pgx.ForEachRow(rows, []any{&id, &e.Model, &e.View, &e.Penalty, &vector}, func() error {
		stored := vector.Slice()
		e.Vector = stored[:len(stored)-1] // without the penalty
		of[id].Embeddings = append(of[id].Embeddings, e)
		return nil
	})
	return err
}
