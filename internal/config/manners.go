package config

import (
	"fmt"

	"github.com/alecthomas/kong"
	completion "github.com/jotaen/kong-completion"
)

// Help is the command that prints the help of the whole program or of one command.
type Help struct {
	Command []string `arg:"" optional:"" help:"Command to describe, such as 'bank set'."`
}

// Run prints the help. The error of an unknown command suggests the nearest.
func (h *Help) Run(ctx *kong.Context) error {
	traced, err := kong.Trace(ctx.Kong, h.Command)
	if err != nil {
		return err
	}
	if traced.Error != nil {
		return Suggest(ctx.Model, h.Command, traced.Error)
	}
	if len(h.Command) == 0 {
		traced.Path = traced.Path[:1] // the program, and not its default command
	}
	return traced.PrintUsage(false)
}

// Suggest adds the nearest command to the error about an unknown one. kong does so itself unless the program has a default command.
func Suggest(app *kong.Application, args []string, err error) error {
	if len(args) == 0 || err.Error() != "unexpected argument "+args[0] {
		return err
	}
	known := map[string]bool{}
	for _, command := range app.Children {
		if !command.Hidden {
			known[command.Name] = true
		}
	}
	return fmt.Errorf("%w%s", err, didYouMean(args[0], known))
}

// Completion is the command that prints a shell's completion script.
type Completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Shell that runs the script: ${enum}."`
}

// Run prints the script and exits.
func (c *Completion) Run(ctx *kong.Context) error {
	return (&completion.Completion{Shell: c.Shell, Code: true}).Run(ctx)
}
