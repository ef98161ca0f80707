package flagctl

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

type restoreCommand struct {
	Reason string `required:"" help:"Why, for the audit log." placeholder:"TEXT"`
	selection
}

func (r *restoreCommand) Run(ctx context.Context, c *cli) error {
	return r.change(ctx, c, true, "restore", "restored", func(db *matchdb.DB, ids []uuid.UUID) (int, error) {
		n, err := db.RestoreAll(ctx, ids, c.As, r.Reason)
		if err != nil {
			return n, err
		}
		bare, err := db.FileOnly(ctx, ids)
		for _, id := range bare {
			fmt.Fprintf(c.stderr, "%s matches its file only, as its vectors and hashes are deleted: flag the original again\n", id)
		}
		return n, err
	})
}
