package flagctl

import (
	"context"
	"fmt"

	"moderator/internal/recognise"
)

type migrateCommand struct{}

func (migrateCommand) Run(ctx context.Context, c *cli) error {
	done, err := recognise.Migrate(ctx, c.Stack, c.Model, c.As)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return c.print(done, "", nil)
	}
	fmt.Fprint(c.stdout, done)
	return nil
}
