// Command bench compares moderator with the ceilings of the machine (ONNX Runtime alone, decoding alone), and with programs for
// the same job in Node and Python. It runs real moderator processes on a real NATS server and Postgres, and measures flags,
// search and memory, too. docs/performance.md explains its lines.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"moderator/internal/embed"
	"moderator/tools/internal/command"
)

type options struct {
	Bin       string        `help:"Folder of the built commands." default:"bin"`
	Sizes     []int         `help:"Sizes of the library, in flags, at which the search is measured." default:"10000,200000" placeholder:"N"`
	Parts     []string      `help:"What to measure: throughput, console, python, sandbox, flags, asking, memory, match, fast_device." default:"throughput,console,python,sandbox,flags,asking,memory,match,fast_device" enum:"throughput,console,python,sandbox,flags,asking,memory,match,fast_device" placeholder:"PART"`
	Models    []string      `help:"Models of the throughput: vit-b32-fp32, vit-b32-int8, copydetect." default:"vit-b32-fp32,vit-b32-int8,copydetect" enum:"vit-b32-fp32,vit-b32-int8,copydetect" placeholder:"MODEL"`
	Pictures  []string      `help:"Pictures of the throughput: 12mp, 1mp, 0.17mp." default:"12mp,1mp,0.17mp" enum:"12mp,1mp,0.17mp" placeholder:"SIZE"`
	Time      time.Duration `help:"How long each throughput measurement takes." default:"7s"`
	Overload  time.Duration `help:"How long the overload lasts." default:"1m"`
	Output    string        `short:"o" help:"Also write the lines to this file as JSON." placeholder:"FILE"`
	ServeNATS string        `name:"serve-nats" hidden:"" placeholder:"DIR"`
}

func (o *options) has(part string) bool { return slices.Contains(o.Parts, part) }

func main() { command.Main("bench", "moderator's speed, as ratios.", run) }

func run(ctx context.Context, o options, stdout io.Writer) error {
	if o.ServeNATS != "" {
		return serveNATS(ctx, o.ServeNATS, stdout)
	}
	if err := embed.LoadLibrary(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "moderator-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as a user of its own
		return err
	}
	b := &bench{options: o, dir: dir, report: &report{out: stdout}}
	err = b.run(ctx)
	b.stop()
	if err != nil {
		return err
	}
	b.report.judge()
	if o.Output != "" {
		return b.report.write(o.Output)
	}
	return nil
}

// bench is one run.
type bench struct {
	options
	dir      string
	report   *report
	pictures []pictures
	models   []model
	servers  *servers
	figures  map[cell]figure
}

// cell is a model and a size of picture.
type cell struct{ model, size string }

func (b *bench) run(ctx context.Context) (err error) {
	started := time.Now()
	b.figures = map[cell]figure{}
	b.report.machine()
	b.note("drawing pictures, writing models")
	if b.pictures, err = drawPictures(); err != nil {
		return err
	}
	if b.models, err = writeModels(b.dir); err != nil {
		return err
	}
	if b.servers, err = startServers(ctx, b.dir); err != nil {
		return err
	}
	parts := []struct {
		name string
		run  func(context.Context) error
	}{
		{"throughput", b.throughput},
		{"console", b.console},
		{"memory", b.memory},
		{"flags", b.flags},
		{"asking", b.asking},
		{"python", b.python},
		{"sandbox", b.sandbox},
		{"match", b.match},
		{"fast_device", b.fastDevice},
	}
	for _, part := range parts {
		if !b.has(part.name) {
			continue
		}
		b.note(part.name)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	b.report.add("run", field{"seconds", int(time.Since(started).Seconds())})
	return nil
}

func (b *bench) stop() {
	if b.servers != nil {
		b.servers.stop()
	}
}

// note prints progress on stderr.
func (b *bench) note(text string) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), text)
}
