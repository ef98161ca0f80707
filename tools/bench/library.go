package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	pgxvec "github.com/pgvector/pgvector-go/pgx"

	"moderator/internal/matchdb"
)

// connect opens a connection with pgvector's types, whose statements fire no triggers, for rows in bulk.
func (s *servers) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, s.databaseURL)
	if err != nil {
		return nil, err
	}
	if err := pgxvec.RegisterTypes(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	_, err = conn.Exec(ctx, "SET session_replication_role = replica; SET maintenance_work_mem = '2GB'")
	return conn, err
}

// shelf is a model's part of the library.
type shelf struct {
	model int
	table string
}

// openShelf looks up the shelf of a registered model.
func openShelf(ctx context.Context, conn *pgx.Conn, fingerprint string) (shelf, error) {
	var s shelf
	err := conn.QueryRow(ctx, "SELECT id FROM model WHERE fingerprint = $1", fingerprint).Scan(&s.model)
	s.table = fmt.Sprintf("flagged_embedding_%d", s.model)
	return s, err
}

// store writes flags.
func (s shelf) store(ctx context.Context, conn *pgx.Conn, flags []stored) error {
	var bank int
	if err := conn.QueryRow(ctx, "SELECT id FROM bank WHERE name = 'default'").Scan(&bank); err != nil {
		return err
	}
	images := make([]uuid.UUID, flags[len(flags)-1].flag+1)
	for i := range images {
		images[i] = uuid.New()
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"flagged_image"}, []string{"id", "bank_id", "sha256", "source", "created_by"},
		pgx.CopyFromSlice(len(images), func(i int) ([]any, error) {
			sum := sha256.Sum256(images[i][:])
			return []any{images[i], bank, sum[:], "bench", "bench"}, nil
		}))
	if err != nil {
		return err
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{s.table}, []string{"model_id", "image_id", "bank_id", "view", "penalty", "embedding"},
		pgx.CopyFromSlice(len(flags), func(i int) ([]any, error) {
			f := flags[i]
			return []any{s.model, images[f.flag], bank, string(f.view), f.penalty, matchdb.StoredVector(f.vector, f.penalty)}, nil
		}))
	if err != nil {
		return err
	}
	// Autovacuum would do this within a minute, during the measurement.
	if _, err = conn.Exec(ctx, "VACUUM (ANALYZE) flagged_image, "+s.table); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CHECKPOINT")
	return err
}

// fill registers the model, and adds so many unrelated flags to its library. It adds their PDQ hashes, which belong to no model,
// unless the library has them.
func (s *servers) fill(ctx context.Context, fingerprint string, dims, flags int) error {
	err := s.db.RegisterModel(ctx, matchdb.Model{Name: "bench", Fingerprint: fingerprint, Dims: dims, BlockAt: 0.999, ReviewAt: 0.999})
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	part, err := openShelf(ctx, conn, fingerprint)
	if err != nil {
		return err
	}
	if err := part.store(ctx, conn, newCloud(dims, 1).flags(flags, 2)); err != nil {
		return err
	}
	if err := fillHashes(ctx, conn, part.model); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ANALYZE")
	return err
}

// fillHashes gives the flags of a model unrelated PDQ hashes, unless the library has hashes.
func fillHashes(ctx context.Context, conn *pgx.Conn, model int) error {
	var present bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM flagged_pdq)").Scan(&present); err != nil || present {
		return err
	}
	_, err := conn.Exec(ctx, `INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality)
		SELECT image_id, bank_id, view, ('x' || encode(sha256(convert_to(image_id::text || view, 'UTF8')), 'hex'))::bit(256), 100
		FROM flagged_embedding WHERE model_id = $1`, model)
	return err
}
