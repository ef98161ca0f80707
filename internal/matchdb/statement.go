package matchdb

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// statement is SQL whose arguments have names. pgx.NamedArgs would look for them in the text at each call, which takes a
// twentieth of a search.
type statement struct {
	sql   string   // with $1, $2, …
	names []string // of $1, $2, …
}

type arguments map[string]any

var argumentName = regexp.MustCompile(`@[a-z]\w*`)

// newStatement makes a statement of SQL in which arguments are written @name. It fills in {model}, the id of the model, which
// has to be in the text for the planner to see the model's partition, and {not_in_snapshot}.
func newStatement(text string, model int) statement {
	var s statement
	text = strings.NewReplacer("{model}", strconv.Itoa(model), "{not_in_snapshot}", fmt.Sprintf(notInSnapshotSQL, "@snapshot")).Replace(text)
	s.sql = argumentName.ReplaceAllStringFunc(text, func(name string) string {
		at := slices.Index(s.names, name[1:])
		if at < 0 {
			at = len(s.names)
			s.names = append(s.names, name[1:])
		}
		return "$" + strconv.Itoa(at+1)
	})
	return s
}

// values are the arguments in the order in which the statement takes them.
func (s statement) values(named arguments) []any {
	values := make([]any, len(s.names))
	for i, name := range s.names {
		values[i] = named[name]
	}
	return values
}
