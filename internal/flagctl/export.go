package flagctl

import (
	"context"
	"fmt"
	"io"
	"os"

	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
)

type exportCommand struct {
	Bank       string `help:"Only this bank." placeholder:"NAME"`
	Format     string `help:"Format: ${enum}. Only moderator holds everything; docs/lists.md describes the formats." enum:"moderator,pdq-csv,tx-csv,signals" default:"moderator"`
	HashesOnly bool   `help:"Leave out keypoints and embeddings; embeddings are of use with the same model only."`
	To         string `help:"File to write. The default is standard output." placeholder:"FILE"`
}

func (e *exportCommand) Run(ctx context.Context, c *cli) (err error) {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	out := c.stdout
	if e.To != "" {
		file, err := os.Create(e.To)
		if err != nil {
			return err
		}
		defer func() {
			if closed := file.Close(); err == nil {
				err = closed
			}
		}()
		out = file
	}
	return e.write(ctx, c, db, out)
}

func (e *exportCommand) write(ctx context.Context, c *cli, db *matchdb.DB, out io.Writer) error {
	var list *hashlist.Writer
	flags, left := 0, 0
	err := db.Dump(ctx, matchdb.Dump{Bank: e.Bank, HashesOnly: e.HashesOnly}, func(h hashlist.Header) (err error) {
		list, err = hashlist.NewWriter(out, hashlist.Format(e.Format), h)
		return err
	}, func(f hashlist.Flag) error {
		lines, err := list.Write(f)
		flags++
		if lines == 0 {
			left++
		}
		return err
	})
	if err == nil {
		err = list.Close()
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(c.stderr, "%s exported", plural(flags-left, "flag"))
	if left > 0 {
		fmt.Fprintf(c.stderr, ", %d left out: they have no hash of the format %s", left, e.Format)
	}
	fmt.Fprintln(c.stderr)
	return nil
}
