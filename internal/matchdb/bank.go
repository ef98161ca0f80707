package matchdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// Thresholds are scores. Without ReviewAt there is no review band.
type Thresholds struct {
	BlockAt  float64
	ReviewAt *float64
}

func (t Thresholds) valid() bool {
	return !math.IsNaN(t.BlockAt) && (t.ReviewAt == nil || *t.ReviewAt <= t.BlockAt)
}

// Bank is a named list of flags, with its thresholds for one model.
type Bank struct {
	Name    string
	Enabled bool
	Flags   int // active ones
	Thresholds
	Own bool // the thresholds are the bank's own, not the model's defaults
	BankPolicy
}

var bankName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$`)

// AddBank makes a bank, enabled, with the models' default thresholds. Who does it and why is for the audit log, here and
// below; why may be "". Errors wrap ErrInvalid or ErrExists.
func (db *DB) AddBank(ctx context.Context, name, by, reason string) error {
	if err := checkBankName(name); err != nil {
		return err
	}
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "INSERT INTO bank (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("bank %s: %w", name, ErrExists)
		}
		return err
	})
}

func checkBankName(name string) error {
	if !bankName.MatchString(name) {
		return fmt.Errorf("%w bank name %.80q: want 1 to 255 of A-Z a-z 0-9 . _ -, beginning with a letter, a digit or _", ErrInvalid, name)
	}
	return nil
}

// DisableBank lets the bank's flags match nothing from the next Match on, until EnableBank. An unknown bank's error wraps
// ErrUnknownBank.
func (db *DB) DisableBank(ctx context.Context, name, by, reason string) error {
	return db.switchBank(ctx, name, false, by, reason)
}

// EnableBank undoes DisableBank.
func (db *DB) EnableBank(ctx context.Context, name, by, reason string) error {
	return db.switchBank(ctx, name, true, by, reason)
}

func (db *DB) switchBank(ctx context.Context, name string, on bool, by, reason string) error {
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE bank SET enabled = $2 WHERE name = $1", name, on)
		if err == nil && tag.RowsAffected() == 0 {
			return unknownBank(name)
		}
		return err
	})
}

// SetBank gives the bank thresholds of its own for the model. Errors wrap ErrInvalid, ErrUnknownBank or ErrUnknownModel.
func (db *DB) SetBank(ctx context.Context, name, model string, t Thresholds, by, reason string) error {
	return db.ConfigureBank(ctx, name, BankChange{Model: model, Thresholds: &t}, by, reason)
}

// BankChange is what to change of a bank.
type BankChange struct {
	Thresholds *Thresholds       // for the model; nil: they stay
	Model      string            // fingerprint; with Thresholds only
	Policy     func(*BankPolicy) // edits the policy; nil: it stays
}

// ConfigureBank makes the change, or none of it, from the next Match on. Errors wrap ErrInvalid, ErrUnknownBank or ErrUnknownModel.
func (db *DB) ConfigureBank(ctx context.Context, name string, change BankChange, by, reason string) error {
	var model registered
	if t := change.Thresholds; t != nil {
		if !t.valid() {
			return fmt.Errorf("%w thresholds of bank %s: want a review score that is at most the block score", ErrInvalid, name)
		}
		var err error
		if model, err = db.model(ctx, change.Model); err != nil {
			return err
		}
	}
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		if change.Policy != nil {
			if err := changePolicy(ctx, tx, name, change.Policy); err != nil {
				return err
			}
		}
		if change.Thresholds == nil {
			return nil
		}
		tag, err := tx.Exec(ctx, `INSERT INTO bank_threshold (bank_id, model_id, block_at, review_at)
			SELECT id, $2, $3, $4 FROM bank WHERE name = $1
			ON CONFLICT (bank_id, model_id) DO UPDATE SET block_at = excluded.block_at, review_at = excluded.review_at`,
			name, model.id, change.Thresholds.BlockAt, change.Thresholds.ReviewAt)
		if err == nil && tag.RowsAffected() == 0 {
			return unknownBank(name)
		}
		return err
	})
}

const bankColumns = `b.name, b.enabled,
	(SELECT count(*) FROM flagged_image i WHERE i.bank_id = b.id AND i.retracted_at IS NULL), ` + policyColumns

func (b *Bank) fields() []any {
	return append([]any{&b.Name, &b.Enabled, &b.Flags}, b.BankPolicy.fields()...)
}

// Banks returns the banks by name, with their thresholds for the model. ErrUnknownModel when it is not registered.
func (db *DB) Banks(ctx context.Context, model string) ([]Bank, error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return nil, err
	}
	rows, err := db.pool.Query(ctx, "SELECT "+bankColumns+`, t.block_at, t.review_at, t.own
		FROM bank b JOIN threshold t ON t.bank_id = b.id AND t.model_id = $1 ORDER BY b.name`, known.id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Bank, error) {
		var b Bank
		err := row.Scan(append(b.fields(), &b.BlockAt, &b.ReviewAt, &b.Own)...)
		return b, err
	})
}

// Bank returns the bank without thresholds, or an error that wraps ErrUnknownBank.
func (db *DB) Bank(ctx context.Context, name string) (Bank, error) {
	var b Bank
	err := db.pool.QueryRow(ctx, "SELECT "+bankColumns+" FROM bank b WHERE b.name = $1", name).Scan(b.fields()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return b, unknownBank(name)
	}
	return b, err
}
