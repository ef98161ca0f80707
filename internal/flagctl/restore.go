package flagctl

import (
	"context"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

type restoreCommand struct {
	Reason string `required:"" help:"Why, for the audit log." placeholder:"TEXT"`
	selection
}

func (r *restoreCommand) Run(ctx context.Context, c *cli) error {
	return r.change(ctx, c, true, "restore", "restored", func(db *matchdb.DB, ids []uuid.UUID) (int, error) {
		return db.RestoreAll(ctx, ids, c.As, r.Reason)
	})
}
