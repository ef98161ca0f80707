// Command chaos tests that no upload is lost, decided twice or decided wrongly while processes are killed. It runs real
// processes: replicas of moderator on one durable, a NATS server and a Postgres cluster. While uploads flow, a schedule kills
// them, deletes the uploads' stream, and rolls the server's store back to an earlier copy. A seed determines the schedule. At
// the end, every upload must have exactly one decision, the right one. An upload that was deleted with its stream, or by a
// rollback, may have no decision.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// grammar is the command line. The broker is this program in another process, so that it can be killed alone.
type grammar struct {
	Run        runCommand    `cmd:"" default:"withargs" help:"Kill processes and count decisions (the default)."`
	NATSServer serverCommand `cmd:"" name:"nats-server" hidden:"" help:"Run the NATS server."`
}

type runCommand struct {
	Bin      string `help:"Folder of the built commands." default:"bin"`
	Uploads  int    `help:"Uploads to publish." default:"5000"`
	Kills    int    `help:"Kills while uploads flow." default:"50"`
	Seed     uint64 `help:"Seed of the kills' kinds, victims, order and gaps." default:"1"`
	Replicas int    `help:"Moderators on the same durable." default:"2"`
}

// Validate implements kong's interface.
func (c *runCommand) Validate() error {
	if c.Uploads < 1 || c.Kills < 0 || c.Replicas < 1 {
		return fmt.Errorf("uploads=%d kills=%d replicas=%d, wanted at least 1, 0 and 1", c.Uploads, c.Kills, c.Replicas)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	parser, err := kong.New(&grammar{}, kong.Name("chaos"), kong.Description("Kill servers and moderators while uploads flow."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run()
}
