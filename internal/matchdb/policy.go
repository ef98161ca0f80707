package matchdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/pdq"
)

// BankPolicy is what a bank makes of a match, beside its thresholds on the score.
type BankPolicy struct {
	Shadow     bool // matches are reported, and change no verdict
	ReviewOnly bool // matches ask for review at most, also those of the very same file
	// PDQDistance is the most bits of 256 that differ in a match by PDQ, 0 to 31. PDQVerdict, "block" or "review", is the verdict
	// of such a match, whatever the other signals say. Zero values, nil and "": PDQ is part of the evidence.
	PDQDistance *int
	PDQVerdict  string
	FalseBlocks *float64 // most false blocks per upload, above 0 and at most 1; nil: as moderators are set
}

const policyColumns = "b.shadow, b.review_only, b.pdq_distance, coalesce(b.pdq_verdict, ''), b.false_blocks"

func (p *BankPolicy) fields() []any {
	return []any{&p.Shadow, &p.ReviewOnly, &p.PDQDistance, &p.PDQVerdict, &p.FalseBlocks}
}

func (p BankPolicy) check() error {
	switch {
	case (p.PDQDistance == nil) != (p.PDQVerdict == ""), p.PDQVerdict != "" && p.PDQVerdict != "block" && p.PDQVerdict != "review":
		return fmt.Errorf("%w verdict by PDQ %q: want block or review with a distance, or neither", ErrInvalid, p.PDQVerdict)
	case p.PDQDistance != nil && (*p.PDQDistance < 0 || *p.PDQDistance > pdq.MaxDistance):
		return fmt.Errorf("%w PDQ distance %d: want 0 to %d bits", ErrInvalid, *p.PDQDistance, pdq.MaxDistance)
	case p.FalseBlocks != nil && !(*p.FalseBlocks > 0 && *p.FalseBlocks <= 1):
		return fmt.Errorf("%w rate of false blocks %v: want more than 0 and at most 1 per upload", ErrInvalid, *p.FalseBlocks)
	}
	return nil
}

// changePolicy lets change edit the bank's policy.
func changePolicy(ctx context.Context, tx pgx.Tx, name string, change func(*BankPolicy)) error {
	rows, err := tx.Query(ctx, "SELECT "+policyColumns+" FROM bank b WHERE name = $1 FOR NO KEY UPDATE", name)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BankPolicy])
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return unknownBank(name)
	}
	p := found[0]
	change(&p)
	if err := p.check(); err != nil {
		return fmt.Errorf("bank %s: %w", name, err)
	}
	_, err = tx.Exec(ctx, "UPDATE bank SET shadow = $2, review_only = $3, pdq_distance = $4, pdq_verdict = nullif($5, ''), false_blocks = $6 WHERE name = $1",
		name, p.Shadow, p.ReviewOnly, p.PDQDistance, p.PDQVerdict, p.FalseBlocks)
	return err
}

// Policy is what is made of a match of one flag.
type Policy struct {
	BankPolicy
	Quarantined bool
}

// Policies returns the policy of each flag. A flag that is not there is left out.
func (db *DB) Policies(ctx context.Context, flags []uuid.UUID) (map[uuid.UUID]Policy, error) {
	found := make(map[uuid.UUID]Policy, len(flags))
	rows, err := db.matching.Query(ctx, "SELECT i.id, q.image_id IS NOT NULL, "+policyColumns+` FROM flagged_image i JOIN bank b ON b.id = i.bank_id
		LEFT JOIN quarantine q ON q.image_id = i.id AND q.released_at IS NULL WHERE i.id = ANY ($1)`, flags)
	if err != nil {
		return nil, fmt.Errorf("policies of flags: %w", err)
	}
	var id uuid.UUID
	var p Policy
	_, err = pgx.ForEachRow(rows, append([]any{&id, &p.Quarantined}, p.fields()...), func() error { found[id] = p; return nil })
	if err != nil {
		return nil, fmt.Errorf("policies of flags: %w", err)
	}
	return found, nil
}
