package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/flagctl"
	"moderator/internal/testenv"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

// docs/configuration.md has the settings of the code. `make docs` writes it.
func TestConfigurationIsDocumented(t *testing.T) {
	moderator, err := newParser(&grammar{}, io.Discard, io.Discard)
	require.NoError(t, err)
	keeper, err := flagctl.NewParser(&flagctl.Grammar{}, io.Discard, io.Discard)
	require.NoError(t, err)
	text := `# Configuration

Every setting is a flag, an environment variable and a key of the YAML file of ` + "`--config FILE`" + `. Flags win over the
environment, the environment over the file. Lists are separated by commas in flags and variables. An unknown key is an error.
An unknown variable with the prefix ` + "`MODERATOR_`" + ` causes a warning. After SIGHUP a moderator that runs with a file reads it again:
` + "`log-level`" + ` and ` + "`fetch-host`" + ` apply at once, and a warning names others that have changed, which take a restart. Flags that concern one call of a command, such as
` + "`--reason`" + `, have no variable and no key: ` + "`--help`" + ` lists them.

` + "```yaml\nnats-url: nats://nats:4222\ndatabase-url: postgres://moderator@db/moderator\nfetch-host: [cdn.example.com, \"*.images.example.com\"]\nbatch-age: 20ms\n```" + `

` + "`make docs`" + ` generates this page from the code.

## moderator

` + config.Markdown(moderator.Model) + "## flagctl\n\n" + config.Markdown(keeper.Model)
	path := filepath.Join(testenv.Root(), "docs", "configuration.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, string(have), "docs/configuration.md is out of date: run `make docs`")
}

// A variable that both commands read is the same setting, because an environment is set for both.
func TestVariablesMeanTheSameToBothCommands(t *testing.T) {
	moderator, err := newParser(&grammar{}, io.Discard, io.Discard)
	require.NoError(t, err)
	keeper, err := flagctl.NewParser(&flagctl.Grammar{}, io.Discard, io.Discard)
	require.NoError(t, err)
	settings := func(app *kong.Application, each func(variable, help string)) {
		require.NoError(t, kong.Visit(app, func(v kong.Visitable, next kong.Next) error {
			if flag, ok := v.(*kong.Flag); ok {
				for _, variable := range flag.Envs {
					each(variable, flag.Help)
				}
			}
			return next(nil)
		}))
	}
	ours := map[string]string{}
	settings(moderator.Model, func(variable, help string) { ours[variable] = help })
	both := 0
	settings(keeper.Model, func(variable, help string) {
		if ours[variable] != "" {
			require.Equal(t, ours[variable], help, variable)
			both++
		}
	})
	require.Greater(t, both, 10)
}
