package config

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

type testGrammar struct {
	Config File `help:"File."`
	Run
}

func parse(t *testing.T, args ...string) (testGrammar, error) {
	t.Helper()
	var g testGrammar
	parser, err := New(&g, "test", "", io.Discard, io.Discard)
	require.NoError(t, err)
	_, err = parser.Parse(args)
	return g, err
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "moderator.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFlagsWinOverEnvironmentOverFile(t *testing.T) {
	path := file(t, "batch-size: 1\nattempts: 2\nbatch-age: 3ms\nfetch-host: [a.example, b.example]\n")
	t.Setenv("MODERATOR_BATCH_SIZE", "10")
	t.Setenv("MODERATOR_ATTEMPTS", "20")
	g, err := parse(t, "--config", path, "--batch-size", "100")
	require.NoError(t, err)
	require.Equal(t, 100, g.BatchSize, "flag")
	require.Equal(t, 20, g.Attempts, "environment")
	require.Equal(t, 3*time.Millisecond, g.BatchAge, "file")
	require.Equal(t, []string{"a.example", "b.example"}, g.FetchHosts)
	require.Equal(t, 10*time.Second, g.BatchBudget, "default")
}

func TestFileErrors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"unknown key":  {"batch-sise: 3\n", "unknown key batch-sise (did you mean batch-size?): docs/configuration.md lists the keys"},
		"not YAML":     {"batch-size: [\n", "is not YAML"},
		"wrong type":   {"batch-size: many\n", "batch-size"},
		"nested value": {"batch-size: {a: 1}\n", "wanted a value or a list"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, "--config", file(t, test.text))
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := parse(t, "--config", "/no/such/file")
	require.ErrorContains(t, err, "configuration file: open /no/such/file")
}

// Flags of one call are not settings: they have no variable and no key.
func TestOnlySettingsAreVariables(t *testing.T) {
	type grammar struct {
		testGrammar
		Version kong.VersionFlag
		Yes     bool
		Act     struct {
			Reason string
		} `cmd:""`
	}
	for name, value := range map[string]string{"VERSION": "1.2.3", "YES": "true", "REASON": "none", "CODE": "true", "ATTEMPTS": "7"} {
		t.Setenv("MODERATOR_"+name, value)
	}
	var g grammar
	parser, err := New(&g, "test", "", io.Discard, io.Discard, kong.Exit(func(int) { t.Error("it prints the version and exits") }))
	require.NoError(t, err)
	_, err = parser.Parse([]string{"act"})
	require.NoError(t, err)
	require.False(t, g.Yes)
	require.Empty(t, g.Act.Reason)
	require.Equal(t, 7, g.Attempts)
	_, err = parser.Parse([]string{"--config", file(t, "yes: true\n"), "act"})
	require.ErrorContains(t, err, "unknown key yes")
}

func TestUnknownVariablesWarn(t *testing.T) {
	const end = " is not a setting and has no effect: docs/configuration.md lists the settings"
	require.Equal(t, []string{
		"the environment variable MODERATOR_BATCHSIZE (did you mean MODERATOR_BATCH_SIZE?)" + end,
		"the environment variable MODERATOR_FRUIT" + end,
	}, UnknownVariables([]string{
		"HOME=/root", "MODERATOR_FRUIT=apple", "MODERATOR_BATCHSIZE=3", "MODERATOR_ATTEMPTS=3", "MODERATOR_CONFIG=a.yaml", "MODERATOR_TESTDATA=/x",
		"MODERATOR_SERVICE_HOST=10.0.0.1", "MODERATOR_CONSOLE_PORT_8081_TCP_ADDR=10.0.0.1", "MODERATOR_PORT=tcp://10.0.0.1:8080",
	}))
}

func TestMarkdownNamesEverySetting(t *testing.T) {
	var g testGrammar
	parser, err := New(&g, "test", "", io.Discard, io.Discard)
	require.NoError(t, err)
	text := Markdown(parser.Model)
	require.Contains(t, text, "| `--batch-size` | `MODERATOR_BATCH_SIZE` | `32` | Most uploads in one batch, and most pictures in one inference. |")
	require.Contains(t, text, "### Fetching")
	require.NotContains(t, text, "--help")
}
