// Command gpu-check compares an execution provider with the CPU: the shipped model in all batch sizes, float16, a ViT-B/32 of
// random weights, several devices, opening and closing, the library's search. Then it runs the tests of internal/embed and the
// demo on the provider.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"moderator/internal/embed"
	"moderator/models"
	"moderator/tools/internal/command"
)

type options struct {
	Provider string `help:"Execution provider to check. auto takes the best that works, which must not be the CPU." default:"auto"`
	Bin      string `help:"Folder of the built commands." default:"bin"`
	Demo     bool   `help:"Run the demo, which needs PostgreSQL." default:"true" negatable:""`
	Prebuilt string `help:"Folder with embed.test and demo, for a machine without Go." placeholder:"DIR"`
}

func main() {
	command.Main("gpu-check", "Compares an execution provider with the CPU.", func(ctx context.Context, o options, stdout io.Writer) error {
		return o.run(ctx, stdout)
	})
}

func (o options) run(ctx context.Context, stdout io.Writer) error {
	folder, err := embed.LoadFS(models.CopyDetect())
	if err != nil {
		return err
	}
	found, err := embed.Open(ctx, folder, embed.Options{Provider: o.Provider, MaxBatch: 1})
	if err != nil {
		return err
	}
	report := found.Report()
	if err := found.Close(); err != nil {
		return err
	}
	if report.Provider == "cpu" {
		return fmt.Errorf("auto finds no GPU (%s): docs/gpu.md says what to install", strings.Join(report.Tried, "; "))
	}
	o.Provider = report.Provider
	fmt.Fprintf(stdout, "gpu-check: provider %s, ONNX Runtime %s\n", report.On(), report.Version)
	c := checker{options: o, devices: report.Devices, stdout: stdout}
	if err := errors.Join(c.churn(ctx), c.compare(ctx), c.match(ctx)); err != nil {
		return err
	}
	if err := c.command(ctx, []string{"go", "test", "./internal/embed", "-count=1"}, "embed.test",
		"-test.v", "-test.run=^(TestGolden|TestEmbed|TestPreprocessing)"); err != nil {
		return fmt.Errorf("the embedding's tests: %w", err)
	}
	if !o.Demo {
		return nil
	}
	if err := c.command(ctx, []string{"go", "run", "./tools/demo"}, "demo", "--bin", o.Bin); err != nil {
		return fmt.Errorf("the demo: %w", err)
	}
	return nil
}

// checker checks one provider.
type checker struct {
	options
	devices []string // that the driver names
	stdout  io.Writer
}

// command runs a program on the provider: the prebuilt one, or by Go. It prints the lines of its summary.
func (c *checker) command(ctx context.Context, byGo []string, prebuilt string, args ...string) error {
	line := append(byGo, args...)
	if c.Prebuilt != "" {
		line = append([]string{filepath.Join(c.Prebuilt, prebuilt)}, args...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "MODERATOR_TEST_PROVIDER="+c.Provider, "MODERATOR_PROVIDER="+c.Provider, "MODERATOR_MATCH_DEVICE="+c.matchDevice())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, out)
	}
	for text := range strings.Lines(string(out)) {
		if strings.HasPrefix(text, "golden:") || strings.HasPrefix(text, "demo:") {
			fmt.Fprint(c.stdout, "gpu-check: ", text)
		}
	}
	return nil
}
