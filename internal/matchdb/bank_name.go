package matchdb

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// RenameBank gives the bank another name. It keeps its flags, thresholds and exchanges. A removed bank gets back a name of its own
// in this way. Errors wrap ErrInvalid, ErrUnknownBank or ErrExists.
func (db *DB) RenameBank(ctx context.Context, name, to, by, reason string) error {
	if err := checkBankName(to); err != nil {
		return err
	}
	err := db.withAudit(ctx, by, reason, func(tx pgx.Tx) error { return renameBank(ctx, tx, name, to) })
	return taken(err, to)
}

func renameBank(ctx context.Context, tx pgx.Tx, name, to string) error {
	tag, err := tx.Exec(ctx, "UPDATE bank SET name = $2 WHERE name = $1", name, to)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return unknownBank(name)
	}
	_, err = tx.Exec(ctx, `UPDATE exchange SET settings = jsonb_set(settings, '{review_bank}', to_jsonb($2::text))
		WHERE settings ->> 'review_bank' = $1 AND $1 <> $2`, name, to)
	return err
}

// taken names the bank whose name the error says is in use.
func taken(err error, name string) error {
	if pgCode(err) == uniqueViolation {
		return fmt.Errorf("bank %s: %w", name, ErrExists)
	}
	return err
}

// deletedBank matches the names of banks that DeleteBank deleted.
const deletedBank = `'^deleted\.[0-9]+\.'`

// DeleteBank retracts the bank's flags, disables the bank and renames it to deleted.ID.NAME, so that its name is free and
// `flagctl restore` can undo the retraction. It returns the number of retracted flags. Errors wrap ErrUnknownBank where there is no
// such bank, or ErrInvalid where an exchange is fetched into it.
func (db *DB) DeleteBank(ctx context.Context, name, by, reason string) (retracted int, err error) {
	err = db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		if err := unusedByExchanges(ctx, tx, name); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `UPDATE bank SET enabled = false, name = left('deleted.' || id || '.' || name, 255)
			WHERE name = $1 AND name !~ `+deletedBank+` RETURNING id`, name)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return unknownBank(name)
		}
		tag, err := tx.Exec(ctx, `UPDATE flagged_image SET retracted_at = now(), retracted_by = $2, retract_reason = $3
			WHERE bank_id = $1 AND retracted_at IS NULL`, ids[0], by, reason)
		retracted = int(tag.RowsAffected())
		return err
	})
	return retracted, err
}

// unusedByExchanges returns an error if exchanges are fetched into the bank.
func unusedByExchanges(ctx context.Context, tx pgx.Tx, bank string) error {
	rows, err := tx.Query(ctx, `SELECT e.name FROM exchange e JOIN bank b ON b.id = e.bank_id
		WHERE b.name = $1 OR e.settings ->> 'review_bank' = $1 ORDER BY e.name`, bank)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(names) > 0 {
		return fmt.Errorf("%w removal of bank %s: exchange %s is fetched into it: `flagctl exchange remove` it first, or disable the bank",
			ErrInvalid, bank, strings.Join(names, ", "))
	}
	return err
}
