package doccheck

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var release = regexp.MustCompile(`(?m)^## .+$`)

// A version of CHANGELOG.md has each kind of change in one section, so that nobody reads half of it.
func TestChangelogHasOneSectionOfEachKind(t *testing.T) {
	text := read(t, "CHANGELOG.md")
	versions := release.FindAllStringIndex(text, -1)
	require.NotEmpty(t, versions)
	for i, version := range versions {
		end := len(text)
		if i+1 < len(versions) {
			end = versions[i+1][0]
		}
		seen := map[string]bool{}
		for _, kind := range heading.FindAllStringSubmatch(text[version[1]:end], -1) {
			require.Contains(t, []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Compatibility"}, kind[1])
			require.False(t, seen[kind[1]], "%s has two sections %q", text[version[0]:version[1]], kind[1])
			seen[kind[1]] = true
		}
	}
}
