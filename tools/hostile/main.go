// Command hostile sends files that break decoders to a running moderator: every file of a folder, and the classics that
// it makes itself. It starts the embedded default in a temporary folder, waits until each upload is decided, and ends with
//
//	hostile: files=N decided=N crashes=0 hangs=0 max_rss_mb=M
//
// crashes counts ends of the moderator itself, hangs the uploads that were not decided, and M is the highest sum of the
// resident memory of the moderator and its decode workers, in megabytes. Any file that is not decided is an error.
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
	Files     string        `help:"Send every file below this folder." placeholder:"DIR"`
	Generated bool          `help:"Send the classics too." default:"true" negatable:""`
	Bin       string        `help:"Folder of the built commands." default:"bin"`
	Patience  time.Duration `help:"No decision for so long ends the wait: what is left hangs." default:"2m"`
	List      bool          `help:"Name each file with its decision."`
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
