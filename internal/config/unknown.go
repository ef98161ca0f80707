package config

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// tooling lists variables of this repository's Makefile, scripts and tests.
var tooling = []string{"MODERATOR_TESTDATA", "MODERATOR_TEST_PROVIDER", "MODERATOR_LONG_TESTS", "MODERATOR_ORT_DIR", "MODERATOR_ORT_MACHINE"}

// ExchangeVariable begins the variables with the credentials of exchanges. The exchange's name follows, in capitals, with _ for -.
const ExchangeVariable = "MODERATOR_EXCHANGE_CREDENTIALS_"

// kubernetes matches variables that a cluster sets in every pod for a Service whose name begins with moderator.
var kubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// UnknownVariables returns a warning for each variable of environ (as of os.Environ) that has the prefix of settings and is
// not a setting of either command.
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
		if !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, ExchangeVariable) || known[name] || slices.Contains(tooling, name) || kubernetes.MatchString(name) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("the environment variable %s%s is not a setting and has no effect: docs/configuration.md lists the settings",
			name, didYouMean(name, known)))
	}
	slices.Sort(warnings)
	return warnings
}

// didYouMean suggests the nearest known name, if one is within two edits.
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

// distance returns the Levenshtein distance in bytes.
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
