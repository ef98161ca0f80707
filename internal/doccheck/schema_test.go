package doccheck

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/events.md names every field of the messages, and every reason and signal.
func TestEveryFieldIsDescribed(t *testing.T) {
	page := read(t, "docs/events.md")
	for _, file := range []string{"docs/schema/decision.schema.json", "docs/schema/upload-reference.schema.json"} {
		var schema any
		require.NoError(t, json.Unmarshal([]byte(read(t, file)), &schema))
		names := schemaWords(schema)
		require.NotEmpty(t, names)
		for _, name := range names {
			if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "."+name+"`") {
				t.Errorf("docs/events.md does not describe %s of %s", name, file)
			}
		}
	}
}

// schemaWords returns the names of all properties and the words of all enumerations.
func schemaWords(node any) (names []string) {
	switch node := node.(type) {
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok {
			for name := range properties {
				names = append(names, name)
			}
		}
		if enum, ok := node["enum"].([]any); ok {
			for _, value := range enum {
				if word, ok := value.(string); ok && word != "" {
					names = append(names, word)
				}
			}
		}
		for _, below := range node {
			names = append(names, schemaWords(below)...)
		}
	case []any:
		for _, below := range node {
			names = append(names, schemaWords(below)...)
		}
	}
	return names
}
