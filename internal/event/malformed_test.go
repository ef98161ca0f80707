package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestParseUploadSaysWhoseAMalformedMessageIs(t *testing.T) {
	const ok = `"specversion":"1.0","id":"e1"`
	for name, c := range map[string]struct {
		header headers
		data   string
		id     string
		text   string
	}{
		"nothing":                  {nil, "", "UPLOADS:4711", "the message is empty"},
		"nothing, named":           {headers{"Nats-Msg-Id": {"m1"}}, "", "m1", "the message is empty"},
		"an event of nothing":      {headers{"ce-id": {"e1"}}, "", "e1", "the message is empty"},
		"an event's id too long":   {headers{"ce-id": {strings.Repeat("i", 513)}, "Nats-Msg-Id": {"m1"}}, "x", "m1", "id is 513 bytes"},
		"an event's id no UTF-8":   {headers{"ce-id": {"%ff"}}, "x", "UPLOADS:4711", "not UTF-8"},
		"no JSON":                  {contentType(asJSON), "\xff\xd8", "UPLOADS:4711", "not a JSON object"},
		"JSON cut short":           {contentType(asJSON), `{"id":"p1","url":"https`, "UPLOADS:4711", "not a JSON object"},
		"empty":                    {contentType(asJSON), ``, "UPLOADS:4711", "not a JSON object"},
		"null":                     {contentType(asJSON), `null`, "UPLOADS:4711", "it is null"},
		"a list":                   {contentType(asJSON), `[]`, "UPLOADS:4711", "not a JSON object"},
		"neither":                  {contentType(asJSON), `{"id":"p1"}`, "p1", "neither url nor object"},
		"an empty URL":             {contentType(asJSON), `{"id":"p1","url":""}`, "p1", "neither url nor object"},
		"both":                     {contentType(asJSON), `{"id":"p1","url":"https://a","object":{"bucket":"b","name":"n"}}`, "p1", "both url and object"},
		"no bucket":                {contentType(asJSON), `{"id":"p1","object":{"name":"n"}}`, "p1", "lacks its bucket or its name"},
		"no name":                  {contentType(asJSON), `{"id":"p1","object":{"bucket":"b"}}`, "p1", "lacks its bucket or its name"},
		"a URL that is a number":   {contentType(asJSON), `{"id":"p1","url":7}`, "p1", "url is 7"},
		"an object that is a text": {contentType(asJSON), `{"id":"p1","object":"b/n"}`, "p1", `object is "b/n"`},
		"a long wrong URL":         {contentType(asJSON), `{"id":"p1","url":["` + strings.Repeat("é", 1000) + `"]}`, "p1", "…"},
		"an id that is a list":     {contentType(asJSON, "Nats-Msg-Id", "m1"), `{"id":[7],"url":"https://a"}`, "m1", "id is [7]"},
		"an id that is a bool":     {contentType(asJSON, "Nats-Msg-Id", "m1"), `{"id":true,"url":"https://a"}`, "m1", "id is true"},
		"a long number":            {contentType(asJSON), `{"id":1` + strings.Repeat("0", 512) + `,"url":"https://a"}`, "UPLOADS:4711", "id is 513 bytes"},
		"an empty id":              {contentType(asJSON), `{"id":"","url":"https://a"}`, "UPLOADS:4711", "id is 0 bytes"},
		"an id too long":           {contentType(asJSON), `{"id":"` + strings.Repeat("i", 513) + `","url":"https://a"}`, "UPLOADS:4711", "wanted at most 512 bytes"},
		"an event's reference":     {contentType(asJSON, "ce-id", "e1"), `{"id":"p1"}`, "e1", "neither url nor object"},

		"an event, no JSON":             {contentType(asEvent), `x`, "UPLOADS:4711", "the CloudEvent is not a JSON object"},
		"an event, null":                {contentType(asEvent), `null`, "UPLOADS:4711", "the CloudEvent is not a JSON object"},
		"an event of no version":        {contentType(asEvent), `{"id":"e1","data_base64":"eA=="}`, "e1", "specversion is missing"},
		"an event of an old version":    {contentType(asEvent), `{"id":"e1","specversion":"0.3","data_base64":"eA=="}`, "e1", `specversion is "0.3", wanted "1.0"`},
		"an event of a number":          {contentType(asEvent), `{"id":"e1","specversion":1.0,"data_base64":"eA=="}`, "e1", "specversion is 1.0"},
		"an event without id":           {contentType(asEvent, "Nats-Msg-Id", "m1"), `{"specversion":"1.0","data_base64":"eA=="}`, "m1", "no id"},
		"an event with a wrong id":      {contentType(asEvent), `{"specversion":"1.0","id":null,"data_base64":"eA=="}`, "UPLOADS:4711", "no id"},
		"an event without data":         {contentType(asEvent), `{` + ok + `}`, "e1", "both or neither of data"},
		"an event with both":            {contentType(asEvent), `{` + ok + `,"data":{"url":"https://a"},"data_base64":"eA=="}`, "e1", "both or neither of data"},
		"an event with null":            {contentType(asEvent), `{` + ok + `,"data":null}`, "e1", "both or neither of data"},
		"an event with a text":          {contentType(asEvent), `{` + ok + `,"data":"https://a"}`, "e1", "not a JSON object"},
		"an event with a bad reference": {contentType(asEvent), `{` + ok + `,"data":{"id":"p1"}}`, "e1", "neither url nor object"},
		"an event with no base64":       {contentType(asEvent), `{` + ok + `,"data_base64":"*"}`, "e1", "not base64"},
		"an event with half a byte":     {contentType(asEvent), `{` + ok + `,"data_base64":"_9j_a"}`, "e1", "not base64"},
		"an event with only nulls":      {contentType(asEvent), `{` + ok + `,"data":null,"data_base64":null}`, "e1", "both or neither of data"},
		"an event with a list":          {contentType(asEvent), `{` + ok + `,"data_base64":[1]}`, "e1", "data_base64 is [1]"},
		"an event with an empty file":   {contentType(asEvent), `{` + ok + `,"data_base64":""}`, "e1", "the message is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := ParseUpload(message(c.header, c.data))
			require.ErrorIs(t, err, ErrMalformed)
			require.ErrorContains(t, err, c.text)
			require.Less(t, len(err.Error()), 300)
			require.True(t, utf8.ValidString(err.Error()))
			require.Equal(t, Upload{
				ID: c.id, Subject: "uploads.web", Stream: "UPLOADS", Sequence: 4711, Published: stored, Attributes: u.Attributes,
			}, u)
		})
	}
}

func TestAttributesOfAMalformedReferenceAreKept(t *testing.T) {
	u, err := ParseUpload(message(contentType(asJSON), `{"user":"u1"}`))
	require.ErrorIs(t, err, ErrMalformed)
	require.Equal(t, attributes("user", `"u1"`), u.Attributes)
}

// Attributes go into the decision, and a decision that is too large for a message could never be published.
func TestAttributesAreLimited(t *testing.T) {
	value := func(bytes int) string { return fmt.Sprintf("%q", strings.Repeat("x", bytes-2)) }
	most := value(MaxAttributesBytes - len("a"))
	u, err := ParseUpload(message(contentType(asJSON), `{"url":"https://a","a":`+most+`}`))
	require.NoError(t, err)
	require.Len(t, u.Attributes["a"], MaxAttributesBytes-1)
	more := value(MaxAttributesBytes)
	for name, m := range map[string]Message{
		"a reference":           message(contentType(asJSON), `{"id":"i","url":"https://a","a":`+more+`}`),
		"a malformed reference": message(contentType(asJSON), `{"id":"i","a":`+more+`}`),
		"a wrong URL":           message(contentType(asJSON), `{"id":"i","url":1,"a":`+more+`}`),
		"an event":              message(contentType(asEvent), `{"specversion":"1.0","id":"i","data_base64":"eA==","a":`+more+`}`),
		"an event, malformed":   message(contentType(asEvent), `{"specversion":"1.0","id":"i","data_base64":"*","a":`+more+`}`),
		"headers":               message(headers{"ce-id": {"i"}, "ce-a": {more}}, "x"),
		"headers, empty":        message(headers{"ce-id": {"i"}, "ce-a": {more}}, ""),
	} {
		u, err := ParseUpload(m)
		require.ErrorIs(t, err, ErrMalformed, name)
		require.Equal(t, Upload{ID: "i", Subject: "uploads.web", Stream: "UPLOADS", Sequence: 4711, Published: stored}, u, name)
	}
}

func FuzzParseUpload(f *testing.F) {
	for _, kind := range []string{"", asJSON, asEvent, "image/jpeg"} {
		f.Add(kind, "e1", "m1", "album", "summer", []byte(`{"specversion":"1.0","id":"e1","data":{"url":"https://a"},"n":1}`))
		f.Add(kind, "%ff", "", "id", "%zz", []byte(`{"object":{"bucket":"b","name":"n"},"x":"`+"\xff"+`"}`))
		f.Add(kind, "", "", "", "", []byte(`{"specversion":"1.0","id":"e1","data_base64":"/9j/"}`))
	}
	f.Fuzz(func(t *testing.T, kind, eventID, messageID, name, value string, data []byte) {
		u, err := ParseUpload(message(headers{
			"Content-Type": {kind}, "ce-id": {eventID}, "Nats-Msg-Id": {messageID}, "ce-" + name: {value},
		}, string(data)))
		sources := 0
		for _, set := range []bool{u.Body != nil, u.URL != "", u.Object != nil} {
			if set {
				sources++
			}
		}
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.Zero(t, sources)
		} else {
			require.Equal(t, 1, sources)
		}
		require.True(t, validID(u.ID))
		require.Equal(t, fmt.Sprintf("UPLOADS:4711:%d", stored.UnixNano()), u.Key())
		size := 0
		for name, value := range u.Attributes {
			size += len(name) + len(value)
		}
		require.LessOrEqual(t, size, MaxAttributesBytes)
		_, encoded, encodeErr := Decision{Verdict: Review, Upload: NewUploadInfo(u)}.Encode(stored)
		require.NoError(t, encodeErr)
		require.True(t, json.Valid(encoded))
		require.True(t, utf8.Valid(encoded))
	})
}
