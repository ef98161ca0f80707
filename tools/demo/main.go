// Command demo shows moderator's main job from end to end: it starts the embedded default in a temporary folder, flags a
// third of some pictures with flagctl, publishes edits of them, unrelated pictures and bad files through every form of
// message, and compares each decision with what it must be.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"moderator/tools/internal/embedded"
)

type options struct {
	Images   string        `help:"Take the pictures of this folder instead of drawn ones." placeholder:"DIR"`
	Pictures int           `help:"So many pictures are drawn." default:"36"`
	Bin      string        `help:"Folder of the built commands." default:"bin"`
	Wait     time.Duration `help:"How long to wait for the decisions." default:"2m"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	var o options
	parser, err := kong.New(&o, kong.Name("demo"), kong.Description("moderator's main job from end to end."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}

	originals, err := o.originals(ctx, stdout)
	if err != nil {
		return err
	}
	web := serveFiles()
	defer web.close()
	s, err := embedded.Start(ctx, o.Bin, "--fetch-host", web.host(), "--fetch-allow-cidr", "127.0.0.1/32")
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := s.Stop(); err == nil {
			err = stopErr
		}
	}()
	fmt.Fprintf(stdout, "started: moderator with its own NATS (%s) and Postgres\n", s.State.NATSURL)

	flagged, unrelated := split(originals)
	if err := flag(ctx, s, flagged, stdout); err != nil {
		return err
	}
	uploads, err := makeUploads(flagged, unrelated)
	if err != nil {
		return err
	}
	p, err := newPublisher(ctx, s.State.NATSURL, web)
	if err != nil {
		return err
	}
	defer p.close()
	began := time.Now()
	for i := range uploads {
		if err := p.publish(ctx, &uploads[i]); err != nil {
			return fmt.Errorf("publish %s: %w", uploads[i].name, err)
		}
	}
	fmt.Fprintf(stdout, "published: %d uploads, in turn %s\n", len(uploads), formNames())
	p.await(ctx, uploads, o.Wait)
	fmt.Fprintf(stdout, "decided: in %.1f s\n\n", time.Since(began).Seconds())
	return report(stdout, uploads)
}
