package matchdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Quarantine says since when a flag asks for review at most, and why.
type Quarantine struct {
	Since   time.Time
	Blocked int // uploads within the hour before, as one moderator counted
}

// quarantiner is who puts flags in quarantine, for the audit log.
const quarantiner = "moderator"

// QuarantineFlag makes matches of the flag ask for review at most, from the next Match on, until Release. A flag that was released
// stays so: put is false for it, and for one that is in quarantine already. moderator_reader may call it.
func (db *DB) QuarantineFlag(ctx context.Context, flag uuid.UUID, blocked int) (put bool, err error) {
	reason := fmt.Sprintf("blocked %d uploads within an hour", blocked)
	err = db.withAudit(ctx, quarantiner, reason, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "INSERT INTO quarantine (image_id, blocked) VALUES ($1, $2) ON CONFLICT DO NOTHING", flag, blocked)
		put = tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("put flag %s in quarantine: %w", flag, err)
	}
	return put, nil
}

// Release lets the flags block again, all or none. The error of a flag that is not in quarantine wraps ErrNotFound.
func (db *DB) Release(ctx context.Context, flags []uuid.UUID, by, reason string) error {
	return db.withAudit(ctx, by, reason, func(tx pgx.Tx) error {
		for _, id := range flags {
			tag, err := tx.Exec(ctx, "UPDATE quarantine SET released_at = now(), released_by = $2 WHERE image_id = $1 AND released_at IS NULL", id, by)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return fmt.Errorf("flag %s in quarantine: %w: `flagctl list --quarantined` shows all", id, ErrNotFound)
			}
		}
		return nil
	})
}
