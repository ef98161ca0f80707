package matchdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// RatedBank is a bank as HMA's clients know it. Ratio is the share of look-ups that report the bank, 0 to 1; a disabled
// bank has 0. The stream matches a bank unless it is disabled.
type RatedBank struct {
	Name  string
	Ratio float64
}

const ratedBankSQL = `SELECT name, CASE WHEN enabled THEN enabled_ratio ELSE 0 END FROM bank WHERE name !~ ` + deletedBank

// RatedBanks returns the banks by name, without deleted ones.
func (db *DB) RatedBanks(ctx context.Context) ([]RatedBank, error) {
	rows, err := db.pool.Query(ctx, ratedBankSQL+" ORDER BY name")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[RatedBank])
}

// RatedBank returns a bank. The error wraps ErrUnknownBank where there is none or it is deleted.
func (db *DB) RatedBank(ctx context.Context, name string) (RatedBank, error) {
	rows, err := db.pool.Query(ctx, ratedBankSQL+" AND name = $1", name)
	if err != nil {
		return RatedBank{}, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RatedBank])
	if err != nil {
		return RatedBank{}, err
	}
	if len(found) == 0 {
		return RatedBank{}, unknownBank(name)
	}
	return found[0], nil
}

// AddRatedBank is AddBank with a ratio.
func (db *DB) AddRatedBank(ctx context.Context, b RatedBank, by, reason string) error {
	if err := checkRatedBank(b.Name, b.Ratio); err != nil {
		return err
	}
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "INSERT INTO bank (name, enabled, enabled_ratio) VALUES ($1, $2::float8 > 0, coalesce(nullif($2::float8, 0), 1)) ON CONFLICT DO NOTHING",
			b.Name, b.Ratio)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("bank %s: %w", b.Name, ErrExists)
		}
		return err
	})
}

func checkRatedBank(name string, ratio float64) error {
	if err := checkBankName(name); err != nil {
		return err
	}
	if !(ratio >= 0 && ratio <= 1) {
		return fmt.Errorf("%w enabled ratio %v: want 0 to 1", ErrInvalid, ratio)
	}
	return nil
}

// ChangeBank gives the bank another name and ratio; a ratio of 0 disables it. It keeps its content and thresholds. Errors
// wrap ErrInvalid, ErrUnknownBank or ErrExists.
func (db *DB) ChangeBank(ctx context.Context, name string, to RatedBank, by, reason string) error {
	if err := checkRatedBank(to.Name, to.Ratio); err != nil {
		return err
	}
	err := db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		if err := renameBank(ctx, tx, name, to.Name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE bank SET enabled = $2::float8 > 0, enabled_ratio = coalesce(nullif($2::float8, 0), enabled_ratio) WHERE name = $1",
			to.Name, to.Ratio)
		return err
	})
	return taken(err, to.Name)
}
