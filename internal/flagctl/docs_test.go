package flagctl

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// docs/flagctl.md describes every verb, and names no flag of a verb that does not exist.
func TestEveryVerbIsDescribed(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "flagctl.md"))
	require.NoError(t, err)
	page := string(data)
	parser, err := NewParser(&Grammar{}, io.Discard, io.Discard)
	require.NoError(t, err)
	flags := map[string]bool{}
	require.NoError(t, kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch node := node.(type) {
		case *kong.Flag:
			flags[node.Name] = true
		case *kong.Command:
			if !node.Hidden && node.Parent.Type == kong.ApplicationNode {
				require.Regexp(t, "`(flagctl )?"+node.Name+"\\b", page, "docs/flagctl.md does not describe the verb")
			}
		}
		return next(nil)
	}))
	require.NotEmpty(t, flags)
	for _, found := range regexp.MustCompile(`--([a-z][a-z-]+)`).FindAllStringSubmatch(page, -1) {
		require.True(t, flags[found[1]], "docs/flagctl.md names --%s, which no verb has", found[1])
	}
}
