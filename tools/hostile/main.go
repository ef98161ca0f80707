// Command hostile publishes files that break decoders to moderator: every file of a folder, and generated ones. It starts the
// embedded default in a temporary folder, waits until each upload is decided, and ends with
//
//	hostile: files=N decided=N crashes=0 hangs=0 max_rss_mb=M
//
// crashes counts ends of the moderator itself, and hangs uploads without a decision. M is the peak of the resident memory of
// the moderator and its decode workers together, in megabytes. A file without a decision is an error.
package main

import (
	"context"
	"errors"
	"io"
	"time"

	"moderator/tools/internal/command"
	"moderator/tools/internal/embedded"
)

type options struct {
	Files     string        `help:"Folder whose files are published, subfolders included." placeholder:"DIR"`
	Generated bool          `help:"Also publish generated files." default:"true" negatable:""`
	Bin       string        `help:"Folder of the built commands." default:"bin"`
	Patience  time.Duration `help:"How long to wait for the next decision. Uploads without a decision then count as hangs." default:"2m"`
	List      bool          `help:"Print each file with its decision."`
}

func main() { command.Main("hostile", "Files that break decoders, for a running moderator.", run) }

func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	uploads, err := o.uploads()
	if err != nil {
		return err
	}
	m, err := embedded.Start(ctx, o.Bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	memory := watch(m.State.PID)
	began := time.Now()
	if err := judge(ctx, m, uploads, o.Patience); err != nil && m.Ended() == nil {
		return err
	}
	result := result{uploads: uploads, took: time.Since(began), maxRSS: memory.stop()}
	if m.Ended() != nil {
		result.crashes = 1
	} else if result.deaths, err = workerDeaths(ctx, m.State.HTTPURL); err != nil {
		return err
	}
	return result.report(stdout, o.List)
}
