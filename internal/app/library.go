package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"moderator/internal/matchdb"
)

// openLibrary connects to the library. If own is true (the embedded cluster), it migrates the schema and registers the
// models. It only checks an operator's database, which `moderator migrate` changes.
func openLibrary(ctx context.Context, url string, own bool, models []matchdb.Model, log *slog.Logger) (*matchdb.DB, error) {
	if own {
		if _, _, err := matchdb.Migrate(ctx, url); err != nil {
			return nil, err
		}
	}
	db, err := matchdb.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	db.Logger = log
	if err := readyLibrary(ctx, db, own, models, log); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func readyLibrary(ctx context.Context, db *matchdb.DB, own bool, models []matchdb.Model, log *slog.Logger) error {
	warning, err := db.CheckSchema(ctx)
	if err != nil {
		return err
	}
	if warning != "" {
		log.Warn(warning)
	}
	for _, m := range models {
		if own {
			if err := db.RegisterModel(ctx, m); err != nil {
				return err
			}
		}
		if err := db.CheckModel(ctx, m.Fingerprint); err != nil {
			return err
		}
	}
	return nil
}

// readLibrary reads the library into memory when its turn has come.
func readLibrary(ctx context.Context, db *matchdb.DB, models []matchdb.Model, candidates int, start *starting, log *slog.Logger) error {
	start.begin("waits while other moderators read the library", turnTime, nil)
	done, err := db.ReadingTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	start.begin("reads the library", stepTime, db.RowsRead)
	return warm(ctx, db, models, candidates, log)
}

// warm loads the candidate indexes of the models, of PDQ and, if candidates is not 0, of keypoints. The first upload does not
// wait for them.
func warm(ctx context.Context, db *matchdb.DB, models []matchdb.Model, candidates int, log *slog.Logger) error {
	available, source := memory()
	takes, err := fits(ctx, db, models, candidates, available, source)
	if err != nil {
		return err
	}
	log.Info("reads the library", "what", takes)
	for _, m := range models {
		start := time.Now()
		n, bytes, err := db.Warm(ctx, m.Fingerprint)
		switch {
		case errors.Is(err, matchdb.ErrUnknownModel): // an operator's empty library: its first flag registers the model
		case err != nil:
			return err
		default:
			log.Info("library read", "model", m.Name, "embeddings", n, "memory_mb", bytes>>20, "ms", time.Since(start).Milliseconds())
		}
	}
	start := time.Now()
	n, bytes, err := db.WarmHashes(ctx)
	if err == nil {
		log.Info("library read", "pdq_hashes", n, "memory_mb", bytes>>20, "ms", time.Since(start).Milliseconds())
	}
	if err != nil || candidates == 0 {
		return err
	}
	start = time.Now()
	n, bytes, err = db.WarmKeypoints(ctx)
	if err == nil {
		log.Info("library read", "flags_with_keypoints", n, "memory_mb", bytes>>20, "ms", time.Since(start).Milliseconds())
	}
	return err
}
