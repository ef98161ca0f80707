package flagctl

import "context"

type historyCommand struct {
	ID string `arg:"" help:"Id of a flag or of an allowed picture, or the id's beginning."`
}

func (h *historyCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	changes, err := db.History(ctx, h.ID)
	if err != nil {
		return err
	}
	return c.printChanges(ctx, db, changes, false)
}
