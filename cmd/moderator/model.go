package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"moderator/internal/hub"
)

type modelCommand struct {
	Pull pullCommand `cmd:"" help:"Fetch a model folder from a hub, check it, and say how to use it. Nothing else of moderator fetches a model."`
}

type pullCommand struct {
	Name     string `arg:"" help:"OWNER/NAME, or a URL of the repository. The hub is that of HF_ENDPOINT, else Hugging Face's. A token is read from HF_TOKEN, or the file HF_TOKEN_PATH."`
	Revision string `help:"Branch, tag or commit. A commit is the same model each time. Without it main." placeholder:"REVISION"`
	Into     string `help:"Folder for model folders; the model is put into OWNER/NAME there." default:"${data_dir}/models" placeholder:"DIR"`
}

func (c *pullCommand) Run(ctx context.Context, out output) error {
	token, err := hub.Token()
	if err != nil {
		return err
	}
	source, err := hub.NewSource(c.Name, c.Revision, cmp.Or(os.Getenv("HF_ENDPOINT"), hub.DefaultEndpoint), token)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(filepath.Join(c.Into, filepath.FromSlash(source.Repository)))
	if err != nil {
		return err
	}
	meter := &pullMeter{out: out.stderr}
	client := hub.Client{Source: source, Progress: meter.reach}
	got, err := client.Pull(ctx, dir)
	meter.end()
	if err != nil {
		return err
	}
	f := got.Folder
	width := "known when it is opened"
	if f.Dims() > 0 {
		width = fmt.Sprintf("%d numbers", f.Dims())
	}
	fmt.Fprintf(out.stdout, "model          %s, revision %s\n", f.Name(), got.Commit)
	fmt.Fprintf(out.stdout, "folder         %s\n", got.Dir)
	fmt.Fprintf(out.stdout, "preprocessing  %s\n", f.Preprocessing())
	fmt.Fprintf(out.stdout, "width          %s\n", width)
	fmt.Fprintf(out.stdout, "fingerprint    %s\n", f.Fingerprint())
	if _, _, calibrated := f.Thresholds(); !calibrated {
		fmt.Fprintf(out.stdout, "thresholds     none: measure them with `flagctl --model %s calibrate`\n", got.Dir)
	}
	fmt.Fprintf(out.stdout, "next           moderator check --model %s\n", got.Dir)
	return nil
}

// pullMeter shows the progress of each file: on a terminal a bar, elsewhere a line for each file.
type pullMeter struct {
	out  io.Writer
	file string
	bar  *progressbar.ProgressBar // nil without a terminal
}

func (m *pullMeter) reach(file string, done, all int64) {
	if file != m.file {
		m.end()
		m.file = file
		if terminal, ok := m.out.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
			m.bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(m.out), progressbar.OptionSetDescription(file),
				progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond))
		} else {
			fmt.Fprintf(m.out, "fetching %s, %d bytes\n", file, all)
		}
	}
	if m.bar != nil {
		_ = m.bar.Set64(done) // a bar that cannot be drawn stops nothing
	}
}

func (m *pullMeter) end() {
	if m.bar != nil {
		_ = m.bar.Finish()
		fmt.Fprintln(m.out)
		m.bar = nil
	}
}
