package event

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// docs/schema/upload-reference.schema.json takes the references that ParseUpload takes, and no others.
func TestReferenceSchemaAgreesWithTheParser(t *testing.T) {
	file := filepath.Join(testenv.Root(), "docs", "schema", "upload-reference.schema.json")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("reference.json", document))
	schema, err := compiler.Compile("reference.json")
	require.NoError(t, err)
	for reference, valid := range map[string]bool{
		`{"url": "https://a/b"}`:                                                  true,
		`{"id": "p1", "url": "s3://uploads/b.jpg"}`:                               true,
		`{"id": 7, "url": "https://a/b"}`:                                         true,
		`{"id": null, "url": "https://a/b"}`:                                      true,
		`{"id": "p1", "object": {"bucket": "photos", "name": "a/b.jpg"}}`:         true,
		`{"url": null, "object": {"bucket": "photos", "name": "b"}}`:              true,
		`{"url": "", "object": {"bucket": "photos", "name": "b"}}`:                true,
		`{"url": "https://a/b", "object": null}`:                                  true,
		`{"url": "https://a/b", "user": {"n": 1.5}, "tags": ["x"], "none": null}`: true,
		`{"id": "` + strings.Repeat("i", 512) + `", "url": "https://a/b"}`:        true,

		`null`:           false,
		`[]`:             false,
		`"https://a/b"`:  false,
		`{}`:             false,
		`{"id": "p1"}`:   false,
		`{"url": ""}`:    false,
		`{"url": 7}`:     false,
		`{"url": null}`:  false,
		`{"url": ["a"]}`: false,
		`{"url": "https://a", "object": {"bucket": "b", "name": "n"}}`:   false,
		`{"object": {"name": "n"}}`:                                      false,
		`{"object": {"bucket": "b"}}`:                                    false,
		`{"object": {"bucket": "", "name": "n"}}`:                        false,
		`{"object": "b/n"}`:                                              false,
		`{"id": [7], "url": "https://a"}`:                                false,
		`{"id": true, "url": "https://a"}`:                               false,
		`{"id": "", "url": "https://a"}`:                                 false,
		`{"id": "` + strings.Repeat("i", 513) + `", "url": "https://a"}`: false,
	} {
		message, err := jsonschema.UnmarshalJSON(strings.NewReader(reference))
		require.NoError(t, err)
		_, parsed := ParseUpload(Message{Stream: "UPLOADS", Sequence: 1, Header: contentType(asJSON), Data: []byte(reference)})
		require.Equal(t, valid, parsed == nil, "the parser: %s: %v", reference, parsed)
		err = schema.Validate(message)
		require.Equal(t, valid, err == nil, "the schema: %s: %v", reference, err)
	}
}
