package flagctl

import (
	"context"
	"log/slog"

	"moderator/internal/embed"
	"moderator/internal/endpoint"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

// library opens the library, and refuses another version of the schema.
func (c *cli) library(ctx context.Context) (*matchdb.DB, error) {
	url, err := endpoint.DatabaseURL(c.Stack)
	if err != nil {
		return nil, err
	}
	db, err := matchdb.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := db.CheckSchema(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// libraryOfModel opens the library and reads the model's folder. It does not run the model.
func (c *cli) libraryOfModel(ctx context.Context) (*matchdb.DB, *embed.Folder, error) {
	folder, err := recognise.Folder(c.Model)
	if err != nil {
		return nil, nil, err
	}
	db, err := c.library(ctx)
	return db, folder, err
}

// extractor opens the model and the decode workers.
func (c *cli) extractor(ctx context.Context) (*recognise.Extractor, error) {
	folder, err := recognise.Folder(c.Model)
	if err != nil {
		return nil, err
	}
	model, err := recognise.OpenModel(ctx, folder, c.Model, 0, c.DataDir, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return recognise.NewExtractor(model, recognise.ImageLimits(c.Limits), c.Sandbox), nil
}

// withLibraryAndModel runs a verb that needs both.
func (c *cli) withLibraryAndModel(ctx context.Context, do func(*matchdb.DB, *recognise.Extractor) error) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	// A new model is registered, so that originals can be flagged with it before moderators use it.
	record, _ := recognise.ModelRecord(x.Folder())
	if err := db.RegisterModelAs(ctx, record, c.As, "first use by flagctl"); err != nil {
		return err
	}
	return do(db, x)
}

// thresholds returns the model's own thresholds, for two pictures without a bank.
func thresholds(f *embed.Folder) (block, review float64) {
	record, _ := recognise.ModelRecord(f)
	return record.BlockAt, record.ReviewAt
}
