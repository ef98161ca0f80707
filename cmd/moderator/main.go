// Command moderator judges uploads: it pulls them from NATS, compares each with the library of flags, and publishes the
// decision block, review or allow.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	completion "github.com/jotaen/kong-completion"

	"moderator/internal/app"
	"moderator/internal/config"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
	_ "moderator/internal/timerslack"
	"moderator/internal/version"
)

// grammar is the command line. docs/configuration.md is generated from it.
type grammar struct {
	Config  config.File       `help:"YAML file whose keys are the flags' names." placeholder:"FILE"`
	Version kong.VersionFlag  `help:"Print the version and exit."`
	Man     mangokong.ManFlag `help:"Print the manual page, as 'man -l -' reads it, and exit."`

	Run     runCommand     `cmd:"" default:"withargs" help:"Judge uploads (the default)."`
	Migrate migrateCommand `cmd:"" help:"Migrate the library's schema to this version, and register the model."`
	Check   checkCommand   `cmd:"" help:"Check configuration, connections, schema and model, and say how to correct errors."`

	Model modelCommand `cmd:"" help:"Fetch a model folder from a hub."`

	Help       config.Help       `cmd:"" help:"Describe a command."`
	Completion config.Completion `cmd:"" help:"Print the completion script of a shell."`

	DecodeWorker decodeWorkerCommand `cmd:"" hidden:"" help:"Run a confined decode worker of moderator."`
}

type runCommand struct {
	Settings config.Run `embed:""`
}

func (c *runCommand) Run(ctx context.Context, out output, again *reread) error {
	log, level, err := config.NewLogger(c.Settings.Log, out.stderr)
	if err != nil {
		return err
	}
	for _, warning := range config.UnknownVariables(os.Environ()) {
		log.Warn(warning)
	}
	hosts := make(chan []string)
	stop := again.follow(ctx, level, hosts, log)
	defer stop()
	return app.Serve(ctx, c.Settings, hosts, out.stdout, log)
}

type migrateCommand struct {
	config.Stack
	config.Model
}

func (c *migrateCommand) Run(ctx context.Context, out output) error {
	out.warn()
	done, err := recognise.Migrate(ctx, c.Stack, c.Model, "")
	if err == nil {
		fmt.Fprint(out.stdout, done)
	}
	return err
}

type checkCommand struct {
	Settings config.Run `embed:""`
}

func (c *checkCommand) Run(ctx context.Context, out output) error {
	out.warn()
	return app.Check(ctx, c.Settings, out.stdout)
}

type decodeWorkerCommand struct{}

func (decodeWorkerCommand) Run() error { return sandbox.Work(os.Stdin, os.Stdout) }

// output holds the writers of a command.
type output struct{ stdout, stderr io.Writer }

// warn prints a warning for each variable without effect.
func (o output) warn() {
	for _, warning := range config.UnknownVariables(os.Environ()) {
		fmt.Fprintln(o.stderr, "moderator: "+warning)
	}
}

func main() { os.Exit(Main()) }

// Main runs the command in the process's arguments and returns the exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "moderator: %v\n", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	g := &grammar{}
	parser, err := newParser(g, stdout, stderr)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return config.Suggest(parser.Model, args, err)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(output{stdout, stderr}, &reread{args: args, file: string(g.Config), node: command.Selected()})
}

func newParser(g *grammar, stdout, stderr io.Writer) (*kong.Kong, error) {
	parser, err := config.New(g, "moderator", "Judges uploads by the library of flags: block, review or allow.",
		stdout, stderr, kong.Vars{"version": "moderator " + version.String()})
	if err == nil {
		completion.Register(parser)
	}
	return parser, err
}
