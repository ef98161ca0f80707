package config

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// tooling are the variables of this repository's Makefile, scripts and tests.
var tooling = []string{"MODERATOR_TESTDATA", "MODERATOR_GPU_CHECK", "MODERATOR_LONG_TESTS", "MODERATOR_ORT_DIR", "MODERATOR_ORT_MACHINE"}

// kubernetes matches what a cluster sets in every pod for a Service whose name begins with moderator.
var kubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// UnknownVariables returns a warning for each variable of environ, which is as os.Environ's, that begins as settings do and is no
// setting of either command: a misspelt one has no effect.
func UnknownVariables(environ []string) (warnings []string) {
	var all struct {
		Config File
		Run
	}
	parser, err := New(&all, "", "", io.Discard, io.Discard)
	if err != nil {
		return []string{err.Error()}
	}
	known := map[string]bool{}
	for _, flag := range settings(parser.Model.Node) {
		known[flag.Envs[0]] = true
	}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || known[name] || slices.Contains(tooling, name) || kubernetes.MatchString(name) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("the environment variable %s%s is no setting and has no effect: docs/configuration.md lists the settings",
			name, didYouMean(name, known)))
	}
	slices.Sort(warnings)
	return warnings
}

// didYouMean suggests the known name that is nearest, where one is near.
func didYouMean(name string, known map[string]bool) string {
	const mostEdits = 2
	best, edits := "", mostEdits+1
	for candidate := range known {
		if d := distance(name, candidate); d < edits || d == edits && candidate < best {
			best, edits = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is Levenshtein's: how many bytes are inserted, deleted or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
