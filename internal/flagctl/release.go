package flagctl

import (
	"context"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

type releaseCommand struct {
	Reason string   `help:"Why, for the audit log." placeholder:"TEXT"`
	ID     []string `arg:"" help:"Ids of flags in quarantine, or their beginnings."`
}

func (r *releaseCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	flags, ids, rows := make([]matchdb.Flagged, len(r.ID)), make([]uuid.UUID, len(r.ID)), make([][]string, len(r.ID))
	for i, id := range r.ID {
		if flags[i], err = db.Show(ctx, id); err != nil {
			return err
		}
		ids[i] = flags[i].ID
		rows[i] = []string{"released", ids[i].String(), flags[i].Source}
	}
	if err := db.Release(ctx, ids, c.As, r.Reason); err != nil {
		return err
	}
	for i := range flags {
		flags[i].Quarantine = nil
	}
	return c.print(allToJSON(flags), "", rows)
}
