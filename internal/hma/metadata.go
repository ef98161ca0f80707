package hma

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxMetadata bounds metadata, in bytes of JSON.
const maxMetadata = 64 << 10

// aboutURL reads note and metadata from the query, which clients use, or the JSON body, which HMA reads.
func aboutURL(r *http.Request) (note string, metadata json.RawMessage, err error) {
	note, metadata = r.URL.Query().Get("note"), json.RawMessage(r.URL.Query().Get("metadata"))
	if len(metadata) == 0 {
		metadata = nil
	}
	if r.ContentLength == 0 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return note, metadata, nil
	}
	body, err := readObject(r)
	if err != nil {
		return "", nil, err
	}
	text, err := body.text("note")
	if text != nil {
		note = *text
	}
	if given, ok := body["metadata"]; ok && string(given) != "null" {
		metadata = given
	}
	return note, metadata, err
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// checkMetadata returns the metadata without collab, nil for none.
func checkMetadata(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, badRequest("metadata should be a json object")
	}
	delete(m, "collab")
	for _, name := range slices.Sorted(maps.Keys(m)) {
		var text string
		var object map[string]json.RawMessage
		switch name {
		case "content_id", "content_uri":
			if json.Unmarshal(m[name], &text) != nil {
				return nil, badRequest("metadata: %s should be a string", name)
			}
		case "json":
			if json.Unmarshal(m[name], &object) != nil || object == nil {
				return nil, badRequest("metadata: json should be an object")
			}
		default:
			return nil, badRequest("metadata contains unexpected keys: %s", name)
		}
	}
	checked, err := json.Marshal(m)
	if err != nil || len(checked) > maxMetadata || bytes.Contains(checked, []byte(`\u0000`)) {
		return nil, badRequest("metadata: want at most %d bytes without NUL", maxMetadata)
	}
	return checked, nil
}
