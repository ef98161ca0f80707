package matchdb

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// TakeBack marks the review of r.Decision as taken back by r.By, with note as the audit log's reason, and publishes that:
// either both, or neither where publish fails. Feedback on r.Flags that no exchange has taken yet is dropped. A review that was
// taken back already, or whose upload was judged again, is a *ReviewedError; ErrNotFound without a review, ErrReadOnly when
// this login may not.
func (db *DB) TakeBack(ctx context.Context, r Review, note string, publish func() error) error {
	err := db.withAudit(ctx, r.By, note, func(tx pgx.Tx) error {
		var verdict string
		err := tx.QueryRow(ctx, `UPDATE review SET taken_back_at = now(), taken_back_by = $3
			WHERE decision_id = $1 AND decided_at = $2 AND taken_back_at IS NULL AND verdict <> 'again' RETURNING verdict`,
			r.Decision.ID, r.Decision.At, r.By).Scan(&verdict)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, dropFeedbackSQL, r.Flags, opinionOf(verdict)); err != nil {
			return err
		}
		return publish()
	})
	switch {
	case pgCode(err) == insufficientPrivilege:
		return ErrReadOnly
	case errors.Is(err, pgx.ErrNoRows):
		reviews, err := db.Reviews(ctx, []DecisionKey{r.Decision})
		if err != nil {
			return err
		}
		if known, ok := reviews[r.Decision]; ok {
			return &ReviewedError{known}
		}
		return ErrNotFound
	}
	return err
}
