package matchdb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"moderator/internal/hashlist"
	"moderator/internal/pdq"
)

// staged is a part of a list as it is copied into the session's own tables; the flags' numbers tie their rows together.
type staged struct {
	flags      []stagedFlag
	pdq        []stagedPDQ
	embeddings []stagedEmbedding
}

type stagedFlag struct {
	number    int32
	id        uuid.UUID // of the flag, if it is new
	bank      int
	flag      hashlist.Flag
	key       []byte
	signalKey []byte // nil where the file is known
}

type stagedPDQ struct {
	n int32
	hashlist.PDQ
}

type stagedEmbedding struct {
	n     int32
	model int
	hashlist.Embedding
}

// stage looks the flags' banks and models up. With newBanks a bank that is not there is as good as an empty one. The flags are put in
// the order of their keys, in which they are inserted, as their ids: two connections that load the same pictures wait for each other in
// one direction only, and indexes grow at their end.
func (db *DB) stage(ctx context.Context, part []hashlist.Flag, newBanks bool) (staged, error) {
	banks, err := db.bankIDs(ctx)
	if err != nil {
		return staged{}, err
	}
	var s staged
	for i, f := range part {
		bank, ok := banks[f.Bank]
		if !ok && !newBanks {
			return s, unknownBank(f.Bank)
		}
		row := stagedFlag{bank: bank, flag: f, number: int32(i), key: f.Key()}
		if !f.HasFile() {
			row.signalKey = row.key
		}
		s.flags = append(s.flags, row)
		for _, p := range f.PDQ {
			s.pdq = append(s.pdq, stagedPDQ{int32(i), p})
		}
		for _, e := range f.Embeddings {
			model, err := db.model(ctx, e.Model)
			if err != nil {
				return s, err
			}
			s.embeddings = append(s.embeddings, stagedEmbedding{int32(i), model.id, e})
		}
	}
	slices.SortFunc(s.flags, func(a, b stagedFlag) int { return cmp.Or(a.bank-b.bank, bytes.Compare(a.key, b.key)) })
	for i := range s.flags {
		if s.flags[i].id, err = uuid.NewV7(); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (db *DB) bankIDs(ctx context.Context) (map[string]int, error) {
	rows, err := db.pool.Query(ctx, "SELECT name, id FROM bank")
	if err != nil {
		return nil, err
	}
	banks := map[string]int{}
	var name string
	var id int
	_, err = pgx.ForEachRow(rows, []any{&name, &id}, func() error { banks[name] = id; return nil })
	return banks, err
}

// stagingSQL makes the session's own tables, which a commit empties.
const stagingSQL = `
CREATE TEMP TABLE IF NOT EXISTS list_flag (n int, id uuid, bank_id int, sha256 bytea, sha1 bytea, md5 bytea, signal_key bytea,
	source text, note text, keypoints bytea) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS list_pdq (n int, view text, hash bit(256), quality smallint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS list_embedding (n int, model_id int, view text, penalty real, embedding halfvec) ON COMMIT DELETE ROWS`

// copy fills the session's tables, within tx.
func (s staged) copy(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Conn().PgConn().Exec(ctx, "SET LOCAL client_min_messages = warning;"+stagingSQL).ReadAll(); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"list_flag"}, []string{"n", "id", "bank_id", "sha256", "sha1", "md5", "signal_key", "source", "note", "keypoints"},
		pgx.CopyFromSlice(len(s.flags), func(i int) ([]any, error) {
			f := s.flags[i]
			return []any{f.number, f.id, int32(f.bank), f.flag.SHA256, f.flag.SHA1, f.flag.MD5, f.signalKey, f.flag.Source, f.flag.Note, f.flag.Keypoints}, nil
		}))
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"list_pdq"}, []string{"n", "view", "hash", "quality"},
		pgx.CopyFromSlice(len(s.pdq), func(i int) ([]any, error) {
			p := s.pdq[i]
			return []any{p.n, p.View, pgtype.Bits{Bytes: p.Hash[:], Len: pdq.Bits, Valid: true}, int16(p.Quality)}, nil
		}))
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"list_embedding"}, []string{"n", "model_id", "view", "penalty", "embedding"},
		pgx.CopyFromSlice(len(s.embeddings), func(i int) ([]any, error) {
			e := s.embeddings[i]
			penalty := Rounded(e.Penalty) // as it is rounded in the vector
			return []any{e.n, int32(e.model), e.View, penalty, StoredVector(e.Vector, penalty)}, nil
		}))
	return err
}

// CheckFlag says what keeps a flag of a list out of this library: its bank's name, or an embedding of a model or width
// that is not known here.
func (db *DB) CheckFlag(ctx context.Context, f hashlist.Flag) error {
	if err := checkBankName(f.Bank); err != nil {
		return err
	}
	for _, e := range f.Embeddings {
		known, err := db.model(ctx, e.Model)
		if errors.Is(err, ErrUnknownModel) {
			return db.otherModel(ctx, hashlist.Model{Fingerprint: e.Model, Dims: len(e.Vector)})
		}
		if err != nil {
			return err
		}
		if err := known.check(e.Vector, e.Penalty); err != nil {
			return fmt.Errorf("view %s of model %s: %w", e.View, short(e.Model), err)
		}
	}
	return nil
}

// CheckModels is an error, which wraps ErrUnknownModel and names both sides, when a list's embeddings are of a model or
// width that is not known here.
func (db *DB) CheckModels(ctx context.Context, models []hashlist.Model) error {
	for _, m := range models {
		known, err := db.model(ctx, m.Fingerprint)
		if errors.Is(err, ErrUnknownModel) || err == nil && known.dims != m.Dims {
			return db.otherModel(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) otherModel(ctx context.Context, theirs hashlist.Model) error {
	models, err := db.Models(ctx)
	if err != nil {
		return err
	}
	ours := make([]string, len(models))
	for i, m := range models {
		ours[i] = fmt.Sprintf("%s (%d dimensions)", m.Fingerprint, m.Dims)
	}
	return fmt.Errorf("%w: the embeddings are of model %.64s (%d dimensions), this library's of %s: vectors of two models never compare; "+
		"with --hashes-only all else is taken", ErrUnknownModel, theirs.Fingerprint, theirs.Dims, strings.Join(ours, ", "))
}
