package matchdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"moderator/migrations"
)

const versionTable = "schema_version"

// Migrate brings the database's schema from the version that it has to this binary's, and returns both; an empty
// database has version 0. Migrations that run at the same time wait for each other. The first needs the rights to create
// the extension vector and roles, or both made beforehand. A schema that is newer than this binary, or of a development
// version, is an error.
func Migrate(ctx context.Context, url string) (from, to int64, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, 0, urlError(url, err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if err := refusePooling(ctx, config); err != nil {
		return 0, 0, err
	}
	conn := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.PingContext(ctx); err != nil {
		return 0, 0, unreachable(config, err)
	}
	if err := extensionAvailable(ctx, conn); err != nil {
		return 0, 0, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return 0, 0, err
	}
	provider, err := newProvider(conn, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, 0, err
	}
	if from, err = provider.GetDBVersion(ctx); err != nil {
		return 0, 0, migrateError(err, config)
	}
	if err := knownVersion(from, newest(provider)); err != nil {
		return from, from, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return from, from, migrateError(err, config)
	}
	if err := numberAlways(ctx, conn); err != nil {
		return from, from, migrateError(err, config)
	}
	to, err = provider.GetDBVersion(ctx)
	return from, to, err
}

func newProvider(conn *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	options = append(options, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	return goose.NewProvider(goose.DialectPostgres, conn, migrations.FS, options...)
}

// newest is the version of this binary's last migration.
func newest(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

// unnumberedSQL are the tables whose rows get no number of this server when replication brings them: pg_restore
// --disable-triggers leaves the trigger enabled for others only.
const unnumberedSQL = `SELECT coalesce(array_agg(c.oid::regclass::text ORDER BY c.relname), '{}') FROM pg_class c
	WHERE (c.oid IN (to_regclass('flagged_pdq'), to_regclass('flagged_keypoints'), to_regclass('flagged_embedding'))
		OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('flagged_embedding')))
	AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'number_added' AND g.tgenabled = 'A')`

// numberAlways enables the trigger of unnumbered tables. It leaves others alone, as its lock waits for who writes.
func numberAlways(ctx context.Context, conn *sql.DB) error {
	var tables []string
	if err := conn.QueryRowContext(ctx, unnumberedSQL).Scan(pgtype.NewMap().SQLScanner(&tables)); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := conn.ExecContext(ctx, "ALTER TABLE "+table+" ENABLE ALWAYS TRIGGER number_added"); err != nil {
			return err
		}
	}
	return nil
}

// extensionAvailable says what to install before a migration fails on it.
func extensionAvailable(ctx context.Context, conn *sql.DB) error {
	var version sql.NullString
	err := conn.QueryRowContext(ctx, `SELECT coalesce(
		(SELECT extversion FROM pg_extension WHERE extname = 'vector'),
		(SELECT default_version FROM pg_available_extensions WHERE name = 'vector'))`).Scan(&version)
	if err != nil {
		return err
	}
	_, err = vectorVersion(version.String)
	return err
}

func migrateError(err error, config *pgx.ConnConfig) error {
	if pgCode(err) != insufficientPrivilege {
		return fmt.Errorf("migrate: %w", err)
	}
	return fmt.Errorf("%w: %w: migrate as an owner of the database %q with CREATEROLE; where an administrator has to help, let him run "+
		"CREATE EXTENSION vector in it, and CREATE ROLE moderator_reader, moderator_curator and moderator_admin",
		ErrSchema, err, config.Database)
}

// knownVersion returns an error for a schema that this binary, whose version is newest, can neither use nor upgrade.
func knownVersion(have, newest int64) error {
	switch {
	case have > newest:
		return fmt.Errorf("%w: its schema has version %d, this binary knows up to %d: run the newer moderator", ErrSchema, have, newest)
	case have > 0 && have < migrations.First:
		return fmt.Errorf("%w: its schema has version %d, which a development version made and this binary cannot upgrade: write the flags "+
			"to a file with `flagctl export --to FILE` of that version, then run `flagctl migrate` and `flagctl import FILE` of this one "+
			"on an empty database", ErrSchema, have)
	}
	return nil
}
