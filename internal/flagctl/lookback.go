package flagctl

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type lookbackCommand struct {
	ID []string `arg:"" help:"Ids of flagged pictures, or their beginnings."`
}

func (l *lookbackCommand) Run(ctx context.Context, c *cli) error {
	db, folder, err := c.libraryOfModel(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	flags := make([]uuid.UUID, len(l.ID))
	for i, id := range l.ID {
		f, err := db.Show(ctx, id)
		if err != nil {
			return err
		}
		if f.RetractedAt != nil {
			return fmt.Errorf("%s is retracted: it matches nothing", f.ID)
		}
		flags[i] = f.ID
	}
	return c.lookBack(ctx, db, folder, flags, c.stdout)
}

// lookBack publishes the decisions that were not published before, and lists them on out or, with -o json, on stdout.
func (c *cli) lookBack(ctx context.Context, db *matchdb.DB, folder *embed.Folder, flags []uuid.UUID, out io.Writer) error {
	js, err := c.jetStream("flagctl lookback")
	if err != nil {
		return err
	}
	defer js.Conn().Close()
	decisions, before, err := recognise.Lookback(ctx, db, folder, js, flags)
	if err != nil {
		return err
	}
	if decisions == nil {
		decisions = []event.Decision{}
	}
	rows := make([][]string, len(decisions))
	for i, d := range decisions {
		rows[i] = []string{string(d.Verdict), d.Upload.ID, string(d.Signal), number(*d.Score), d.Match.Bank, d.Match.View, d.Match.FlaggedID}
	}
	listing := *c
	listing.stdout = out
	if err := listing.print(decisions, "VERDICT\tUPLOAD\tSIGNAL\tSCORE\tBANK\tVIEW\tFLAG", rows); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "%s on earlier uploads published, %d published before\n", plural(len(decisions), "decision"), before)
	return nil
}
