// Command e2e tests the console in a headless Chromium, against moderator's embedded default in a temporary folder. It goes
// the main path of each page by the keyboard alone, and opens each page narrow and wide, light and dark. Faults are errors of
// scripts, violations of the Content-Security-Policy, dialogs of scripts in hostile names, pages that scroll sideways, and
// violations that axe-core finds.
// It writes screenshots, and measures the frame rate of the Live page at 10,000 decisions a minute.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"moderator/tools/internal/command"
	"moderator/tools/internal/embedded"
	"moderator/tools/internal/web"
)

type options struct {
	Bin     string        `help:"Folder of the built commands." default:"bin"`
	Out     string        `help:"Folder for screenshots." default:".cache/e2e"`
	Cache   string        `help:"Folder for axe-core, which is fetched once." default:".cache/axe"`
	Parts   []string      `help:"Parts to run: paths, looks, load." default:"paths,looks,load" enum:"paths,looks,load" placeholder:"PART"`
	Load    time.Duration `help:"How long the Live page is under load." default:"30s"`
	Timeout time.Duration `help:"Most time that all parts may take." default:"15m"`
}

func main() { command.Main("e2e", "The console in a real browser.", run) }

func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	chromium, err := findChromium()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	pictures := web.Start()
	defer pictures.Close()
	m, err := embedded.Start(ctx, o.Bin, "--previews", "previews", "--fetch-host", pictures.Host(), "--fetch-allow-cidr", "127.0.0.1/32")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	s, err := seed(ctx, m, pictures)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(stdout, "e2e: moderator has decided %d uploads\n", s.uploads)

	b, err := startBrowser(ctx, chromium)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.signIn(m.State.ConsoleURL); err != nil {
		return err
	}
	if slices.Contains(o.Parts, "paths") {
		if err := everyPath(b, m.State.ConsoleURL, s, o.Out, stdout); err != nil {
			return err
		}
	}
	if slices.Contains(o.Parts, "looks") {
		if b.axe, err = axe(ctx, o.Cache); err != nil {
			return err
		}
		shots, err := everyLook(b, m.State.ConsoleURL, s, o.Out)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "e2e: %d screenshots in %s; no page scrolls sideways, and axe-core finds no violations\n", shots, o.Out)
	}
	if slices.Contains(o.Parts, "load") {
		return underLoad(ctx, b, m, s, o, stdout)
	}
	return nil
}

// everyPath runs the steps of each path. A step that fails leaves a screenshot.
func everyPath(b *browser, consoleURL string, s *seeded, out string, stdout io.Writer) error {
	steps := paths(b, consoleURL, s)
	for _, step := range steps {
		if err := step.run(); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.name, err), b.shoot(out, "failed"))
		}
		if err := b.wrong(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(stdout, "e2e: %s: ok\n", step.name)
	}
	fmt.Fprintf(stdout, "e2e: %d steps, 0 failed\n", len(steps))
	return nil
}
