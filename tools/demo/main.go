// Command demo shows moderator's main job from end to end. It starts the embedded default in a temporary folder and flags a
// third of some pictures with flagctl. Then it publishes edits of the flagged pictures, unrelated pictures and bad files, in
// every form of message, and compares each decision with the expected one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"moderator/tools/internal/command"
	"moderator/tools/internal/embedded"
	"moderator/tools/internal/web"
)

type options struct {
	Images   string        `help:"Folder of photographs to use in place of drawn pictures." placeholder:"DIR"`
	Pictures int           `help:"How many pictures to draw." default:"36"`
	Bin      string        `help:"Folder of the built commands." default:"bin"`
	Wait     time.Duration `help:"How long to wait for decisions." default:"2m"`
}

func main() { command.Main("demo", "moderator's main job from end to end.", run) }

func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	originals, err := o.originals(ctx, stdout)
	if err != nil {
		return err
	}
	pictures := web.Start()
	defer pictures.Close()
	s, err := embedded.Start(ctx, o.Bin, "--fetch-host", pictures.Host(), "--fetch-allow-cidr", "127.0.0.1/32")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fmt.Fprintf(stdout, "started: moderator with its own NATS (%s) and Postgres\n", s.State.NATSURL)

	flagged, unrelated := split(originals)
	if err := flag(ctx, s, flagged, stdout); err != nil {
		return err
	}
	uploads, err := makeUploads(flagged, unrelated)
	if err != nil {
		return err
	}
	p, err := newPublisher(ctx, s.State.NATSURL, pictures)
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
