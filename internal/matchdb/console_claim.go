package matchdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Claims returns who looks at which decision.
func (db *DB) Claims(ctx context.Context) (map[DecisionKey]string, error) {
	rows, err := db.pool.Query(ctx, "SELECT decision_id, decided_at, claimed_by FROM review_claim WHERE until > now()")
	if err != nil {
		return nil, err
	}
	claims := map[DecisionKey]string{}
	var key DecisionKey
	var by string
	_, err = pgx.ForEachRow(rows, []any{&key.ID, &key.At, &by}, func() error {
		claims[NewDecisionKey(key.ID, key.At)] = by
		return nil
	})
	return claims, err
}

// Claim gives a decision to a person for a time, and takes that person's other claims back. It reports false if somebody
// else has it. Of two people who claim it at once, one gets it.
func (db *DB) Claim(ctx context.Context, key DecisionKey, by string, keep time.Duration) (bool, error) {
	claimed := false
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		// Not those of others, expired ones included: two people could wait for each other's rows.
		if _, err := tx.Exec(ctx, "DELETE FROM review_claim WHERE claimed_by = $1 AND (decision_id, decided_at) <> ($2, $3)", by, key.ID, key.At); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO review_claim (decision_id, decided_at, claimed_by, until) VALUES ($1, $2, $3, now() + $4)
			ON CONFLICT (decision_id, decided_at) DO UPDATE SET claimed_by = $3, until = excluded.until
			WHERE review_claim.claimed_by = $3 OR review_claim.until <= now()`, key.ID, key.At, by, keep)
		claimed = tag.RowsAffected() == 1
		return err
	})
	return claimed, err
}
