package flagctl

import (
	"context"
	"fmt"

	"moderator/internal/matchdb"
)

type bankRename struct {
	because
	Name string `arg:"" help:"Name of the bank."`
	To   string `arg:"" help:"Its new name."`
}

func (b *bankRename) Run(ctx context.Context, c *cli) error {
	return c.changeBank(ctx, b.To, "renamed", func(db *matchdb.DB) error { return db.RenameBank(ctx, b.Name, b.To, c.As, b.Reason) })
}

type bankRemove struct {
	Name   string `arg:"" help:"Name of the bank."`
	Reason string `required:"" help:"Why, for the audit log." placeholder:"TEXT"`
	confirmation
}

func (b *bankRemove) Run(ctx context.Context, c *cli) error {
	return c.changeBank(ctx, b.Name, "removed", func(db *matchdb.DB) error {
		bank, err := db.Bank(ctx, b.Name)
		if err != nil {
			return err
		}
		if bank.Flags > 0 {
			if err := b.ask(c, fmt.Sprintf("bank %s has %s", b.Name, plural(bank.Flags, "flag")), "retract"); err != nil {
				return err
			}
		}
		retracted, err := db.DeleteBank(ctx, b.Name, c.As, b.Reason)
		if err == nil {
			fmt.Fprintf(c.stderr, "%s retracted\n", plural(retracted, "flag"))
		}
		return err
	})
}
