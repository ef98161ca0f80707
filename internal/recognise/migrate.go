package recognise

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/endpoint"
	"moderator/internal/matchdb"
)

// Migrated is what Migrate did.
type Migrated struct {
	From   int64             `json:"from"` // versions of the schema
	To     int64             `json:"to"`
	Models []RegisteredModel `json:"models"`
}

// RegisteredModel is a model that the library knows.
type RegisteredModel struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// String is a line for each thing, for people.
func (m Migrated) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: version %d, was %d\n", m.To, m.From)
	for _, r := range m.Models {
		fmt.Fprintf(&b, "model: %s (%s) is registered\n", r.Name, r.Fingerprint[:12])
	}
	return b.String()
}

// Migrate brings the schema to this version and registers the models, which the audit log ascribes to by, "" for nobody.
func Migrate(ctx context.Context, c config.Stack, m config.Model, by string) (Migrated, error) {
	var done Migrated
	url, err := endpoint.DatabaseURL(c)
	if err != nil {
		return done, err
	}
	folders, err := Folders(m)
	if err != nil {
		return done, err
	}
	if done.From, done.To, err = matchdb.Migrate(ctx, url); err != nil {
		return done, err
	}
	db, err := matchdb.Open(ctx, url)
	if err != nil {
		return done, err
	}
	defer db.Close()
	for _, folder := range folders {
		if folder, err = withDims(ctx, folder, m); err != nil {
			return done, err
		}
		record, _ := ModelRecord(folder)
		if err := db.RegisterModelAs(ctx, record, by, "migrate"); err != nil {
			return done, err
		}
		done.Models = append(done.Models, RegisteredModel{record.Name, record.Fingerprint})
	}
	return done, nil
}

// withDims is the folder with its dimensions known: where its files do not say, the runtime does.
func withDims(ctx context.Context, f *embed.Folder, c config.Model) (*embed.Folder, error) {
	if f.Dims() > 0 {
		return f, nil
	}
	model, err := OpenModel(ctx, f, c, 1, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return model.Folder(), model.Close()
}
