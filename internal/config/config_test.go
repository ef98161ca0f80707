package config

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

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
		"unknown key":  {"batch-sise: 3\n", "unknown key batch-sise: docs/configuration.md lists the keys"},
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

func TestMarkdownNamesEverySetting(t *testing.T) {
	var g testGrammar
	parser, err := New(&g, "test", "", io.Discard, io.Discard)
	require.NoError(t, err)
	text := Markdown(parser.Model)
	require.Contains(t, text, "| `--batch-size` | `MODERATOR_BATCH_SIZE` | `32` | Uploads embedded together at most. |")
	require.Contains(t, text, "### Fetching")
	require.NotContains(t, text, "--help")
}
