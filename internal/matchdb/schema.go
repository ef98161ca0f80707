package matchdb

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"moderator/migrations"
)

// CheckSchema returns an error that wraps ErrSchema and names the remedy when the database cannot be used: no pgvector
// or one before 0.8.0, no schema, or one that is older or newer than this binary. The warning, "" for none, is for a
// pgvector whose known faults are repaired in a later release.
func (db *DB) CheckSchema(ctx context.Context) (warning string, err error) {
	var extension, table *string
	err = db.pool.QueryRow(ctx, `SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector'), to_regclass($1)::text`,
		versionTable).Scan(&extension, &table)
	if err != nil {
		return "", err
	}
	if table == nil {
		return "", fmt.Errorf("%w: it has no schema: run `moderator migrate` or `flagctl migrate`", ErrSchema)
	}
	have, err := db.schemaVersion(ctx)
	if pgCode(err) == insufficientPrivilege {
		user := db.pool.Config().ConnConfig.User
		return "", fmt.Errorf("%w: its user %s may not read it: run GRANT moderator_reader TO %s, or moderator_curator for flagctl",
			ErrSchema, user, user)
	}
	if err != nil {
		return "", err
	}
	want, err := wantedVersion()
	if err != nil {
		return "", err
	}
	if err := knownVersion(have, want); err != nil {
		return "", err
	}
	if have < want {
		return "", fmt.Errorf("%w: its schema has version %d, this binary needs %d: run `moderator migrate` or `flagctl migrate`", ErrSchema, have, want)
	}
	var unnumbered []string
	if err := db.pool.QueryRow(ctx, unnumberedSQL).Scan(&unnumbered); err != nil {
		return "", err
	}
	if len(unnumbered) > 0 {
		return "", fmt.Errorf("%w: the trigger number_added of %s is not enabled always, as a restore leaves it: flags that are replicated there "+
			"would be missed: run `moderator migrate` or `flagctl migrate`", ErrSchema, strings.Join(unnumbered, ", "))
	}
	if extension == nil {
		return "", fmt.Errorf("%w: it has no extension vector: run CREATE EXTENSION vector in it", ErrSchema)
	}
	return vectorVersion(*extension)
}

func (db *DB) schemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := db.pool.QueryRow(ctx, "SELECT coalesce(max(version_id) FILTER (WHERE is_applied), 0) FROM "+versionTable).Scan(&version)
	return version, err
}

// wantedVersion is the number that the last migration's file name begins with.
func wantedVersion() (int64, error) {
	names, err := fs.Glob(migrations.FS, "*.sql") // sorted
	if err != nil {
		return 0, err
	}
	number, _, _ := strings.Cut(names[len(names)-1], "_")
	return strconv.ParseInt(number, 10, 64)
}

// vectorVersion judges a version of pgvector, "" for none. Before 0.8.0 there are no iterative scans, without which dead
// rows hide flags. 0.8.2 to 0.8.4 repair an overflow in parallel builds, a corruption by VACUUM and a graph that was left
// unrepaired.
func vectorVersion(version string) (warning string, err error) {
	if version == "" {
		return "", fmt.Errorf("%w: its server has no pgvector: install it there (postgresql-NN-pgvector, or `make setup`)", ErrSchema)
	}
	if olderThan(version, 0, 8, 0) {
		return "", fmt.Errorf("%w: its pgvector is %s, wanted is 0.8.0 or later: install that, then ALTER EXTENSION vector UPDATE",
			ErrSchema, version)
	}
	if olderThan(version, 0, 8, 4) {
		return "pgvector " + version + " has known index faults: 0.8.4 repairs them", nil
	}
	return "", nil
}

func olderThan(version string, parts ...int) bool {
	fields := strings.Split(version, ".")
	for i, want := range parts {
		have := 0
		if i < len(fields) {
			have, _ = strconv.Atoi(fields[i])
		}
		if have != want {
			return have < want
		}
	}
	return false
}

// CheckModel returns an error when flags of the library are embedded by other models and none by this one: every edit of
// them would be allowed. Flags of hash lists are embedded by none.
func (db *DB) CheckModel(ctx context.Context, fingerprint string) error {
	var some, embedded bool
	err := db.pool.QueryRow(ctx, `SELECT
		EXISTS (SELECT FROM flagged_embedding),
		EXISTS (SELECT FROM flagged_embedding WHERE model_id = (SELECT id FROM model WHERE fingerprint = $1))`,
		fingerprint).Scan(&some, &embedded)
	if err != nil || !some || embedded {
		return err
	}
	rows, err := db.pool.Query(ctx, `SELECT name || ' (' || left(fingerprint, 12) || ')' FROM model m
		WHERE EXISTS (SELECT FROM flagged_embedding WHERE model_id = m.id) ORDER BY id`)
	if err != nil {
		return err
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: the library holds flags and none is embedded by model %s, so that nothing would match; they are embedded by: %s: "+
		"use that model, or embed the originals by this one with `flagctl reembed`",
		ErrUnknownModel, short(fingerprint), strings.Join(others, ", "))
}
