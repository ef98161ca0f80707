package matchdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/keypoint"
)

// NewFlag is a picture to be flagged.
type NewFlag struct {
	Bank   string
	SHA256 string // of the file, hex; "" where the file is not known
	MD5    string // of the file, hex, for lists that others read; "" where it is not known
	Source string // where it comes from; free text
	Note   string // why; free text
	By     string // who, for the audit log
	Model  string // the fingerprint of the model that made Embeddings
	// Embeddings has one vector a view. Without any only copies of the file are found.
	Embeddings []Embedding
	PDQ        []PDQ
	Keypoints  keypoint.Features // of the picture as it is

	Metadata json.RawMessage // a JSON object of HMA's clients, without \u0000; nil: none
}

// Embedding is one view of a picture.
type Embedding struct {
	View    string
	Vector  []float32 // L2-normalised, of the model's dims
	Penalty float32   // penalty(r) of the score
}

// FlagResult says what Flag did.
type FlagResult struct {
	ID       uuid.UUID
	Existing bool // the file was flagged in this bank already
	Added    int  // so many embeddings are new
}

// Flag stores the picture in one transaction; every Match that begins after it returned sees it. A file that is flagged
// in the bank already, and not retracted, keeps its row and gets those views that it lacks: so flagging the originals
// again under a new model embeds the library anew. A picture whose file is not known is identified by its signals. Errors wrap ErrUnknownBank, ErrUnknownModel or ErrInvalid.
func (db *DB) Flag(ctx context.Context, f NewFlag) (FlagResult, error) {
	key, err := f.key()
	if err != nil {
		return FlagResult{}, err
	}
	if f.By == "" {
		return FlagResult{}, fmt.Errorf("%w flag: want who flags", ErrInvalid)
	}
	model, err := db.model(ctx, f.Model)
	if err != nil {
		return FlagResult{}, err
	}
	for _, e := range f.Embeddings {
		if err := model.check(e.Vector, e.Penalty); err != nil {
			return FlagResult{}, fmt.Errorf("view %s: %w", e.View, err)
		}
	}
	var result FlagResult
	err = db.withAudit(ctx, f.By, f.Note, func(tx pgx.Tx) error {
		var bank int
		err := tx.QueryRow(ctx, "SELECT id FROM bank WHERE name = $1", f.Bank).Scan(&bank)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknownBank(f.Bank)
		}
		if err != nil {
			return err
		}
		if result, err = insertImage(ctx, tx, bank, key, f); err != nil {
			return err
		}
		if err := insertPDQ(ctx, tx, bank, result.ID, f.PDQ); err != nil {
			return err
		}
		if err := insertKeypoints(ctx, tx, result.ID, f.Keypoints); err != nil {
			return err
		}
		if result.Added, err = insertEmbeddings(ctx, tx, model.id, bank, result.ID, f.Embeddings); err != nil || !result.Existing {
			return err
		}
		_, err = tx.Exec(ctx, tellGainedSQL+" AND i.id = $1", result.ID)
		return err
	})
	return result, err
}

// tellGainedSQL has the audit log say of those flags to which this transaction has added signals, and that were there before
// it: it changes nothing of the flags. The flags follow.
var tellGainedSQL = `UPDATE flagged_image i SET retract_reason = retract_reason WHERE i.xmin <> pg_current_xact_id()::xid
	AND ` + gained("flagged_pdq", "flagged_embedding", "flagged_keypoints")

// gained says that this transaction has added rows to one of the tables for the picture i.
func gained(tables ...string) string {
	each := make([]string, len(tables))
	for n, table := range tables {
		each[n] = "EXISTS (SELECT FROM " + table + " g WHERE g.image_id = i.id AND g.xmin = pg_current_xact_id()::xid)"
	}
	return "(" + strings.Join(each, " OR ") + ")"
}

// insertImage returns the new row, or the active one of the same file. That one is locked against retraction until the
// transaction ends: embeddings that were added behind a retraction would match for ever. The lock is that of an update, which
// may follow: of two who share one, neither could update.
func insertImage(ctx context.Context, tx pgx.Tx, bank int, key imageKey, f NewFlag) (FlagResult, error) {
	for {
		var r FlagResult
		err := tx.QueryRow(ctx, `INSERT INTO flagged_image (bank_id, sha256, md5, signal_key, source, note, created_by, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (bank_id, coalesce(sha256, sha1, md5, signal_key)) WHERE retracted_at IS NULL DO NOTHING RETURNING id`,
			bank, key.sha256, key.md5, key.signals, f.Source, f.Note, f.By, f.Metadata).Scan(&r.ID)
		if !errors.Is(err, pgx.ErrNoRows) {
			return r, err
		}
		err = tx.QueryRow(ctx, `SELECT id FROM flagged_image WHERE bank_id = $1 AND coalesce(sha256, sha1, md5, signal_key) = coalesce($2::bytea, $3, $4)
			AND retracted_at IS NULL FOR NO KEY UPDATE`, bank, key.sha256, key.md5, key.signals).Scan(&r.ID)
		if !errors.Is(err, pgx.ErrNoRows) {
			r.Existing = true
			return r, err
		}
		// Retracted in between: the next insert succeeds.
	}
}

func insertEmbeddings(ctx context.Context, tx pgx.Tx, model, bank int, image uuid.UUID, embeddings []Embedding) (int, error) {
	views, penalties, vectors := embeddingColumns(embeddings)
	tag, err := tx.Exec(ctx, `INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding)
		SELECT $1, $2, $3, e.* FROM unnest($4::text[], $5::real[], $6::halfvec[]) AS e ON CONFLICT DO NOTHING`,
		model, image, bank, views, penalties, vectors)
	return int(tag.RowsAffected()), err
}

// embeddingColumns are the columns of the embeddings' rows.
func embeddingColumns(embeddings []Embedding) (views []string, penalties []float32, vectors []pgvector.HalfVector) {
	for _, e := range embeddings {
		penalty := Rounded(e.Penalty) // as it is rounded in the vector
		views, penalties, vectors = append(views, e.View), append(penalties, penalty), append(vectors, StoredVector(e.Vector, penalty))
	}
	return views, penalties, vectors
}

// Retract takes the flag back that id names, as Show takes it, and returns it. Its embeddings and hashes are set
// aside, so that it matches nothing from here on. Errors wrap ErrNotFound, ErrAmbiguous or ErrRetracted.
func (db *DB) Retract(ctx context.Context, id, by, reason string) (Flagged, error) {
	if by == "" || reason == "" {
		return Flagged{}, fmt.Errorf("%w retraction: want who retracts and a reason", ErrInvalid)
	}
	flag, err := db.Show(ctx, id)
	if err != nil {
		return Flagged{}, err
	}
	err = db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE flagged_image SET retracted_at = now(), retracted_by = $2, retract_reason = $3
			WHERE id = $1 AND retracted_at IS NULL`, flag.ID, by, reason)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("%s: %w", flag.ID, ErrRetracted)
		}
		return err
	})
	if err != nil {
		return Flagged{}, err
	}
	return db.Show(ctx, flag.ID.String())
}
