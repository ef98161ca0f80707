package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type headers = map[string][]string

var stored = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func message(h headers, data string) Message {
	return Message{Subject: "uploads.web", Stream: "UPLOADS", Sequence: 4711, Timestamp: stored, Header: h, Data: []byte(data)}
}

// contentType is the headers of a message of this type, and more in pairs of name and value.
func contentType(value string, more ...string) headers {
	h := headers{"Content-Type": {value}}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = []string{more[i+1]}
	}
	return h
}

const (
	asJSON  = "application/json"
	asEvent = "application/cloudevents+json"
)

func attributes(pairs ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

func TestParseUploadReadsEveryForm(t *testing.T) {
	object := &Object{Bucket: "photos", Name: "a/b.jpg"}
	for name, c := range map[string]struct {
		header headers
		data   string
		want   Upload
	}{
		"a file":                           {nil, "\xff\xd8\xff", Upload{ID: "UPLOADS:4711", Body: []byte("\xff\xd8\xff")}},
		"a file with a type":               {contentType("image/jpeg"), "x", Upload{ID: "UPLOADS:4711", Body: []byte("x")}},
		"a file that looks like JSON":      {contentType("application/octet-stream"), "{}", Upload{ID: "UPLOADS:4711", Body: []byte("{}")}},
		"a file with a type of no meaning": {contentType(";;;"), "x", Upload{ID: "UPLOADS:4711", Body: []byte("x")}},
		"a file with an id":                {headers{"Nats-Msg-Id": {"m1", "m2"}}, "x", Upload{ID: "m1", Body: []byte("x")}},
		"a file with an id in lower case":  {headers{"nats-msg-id": {"m1"}}, "x", Upload{ID: "m1", Body: []byte("x")}},
		"an id that cannot be one":         {headers{"Nats-Msg-Id": {strings.Repeat("i", 513)}}, "x", Upload{ID: "UPLOADS:4711", Body: []byte("x")}},
		"a header without values":          {headers{"Nats-Msg-Id": {}, "ce-a": nil}, "x", Upload{ID: "UPLOADS:4711", Body: []byte("x")}},

		"a URL":               {contentType(asJSON), `{"id":"p1","url":"https://a/b"}`, Upload{ID: "p1", URL: "https://a/b"}},
		"a URL without an id": {contentType(asJSON), `{"url":"https://a/b"}`, Upload{ID: "UPLOADS:4711", URL: "https://a/b"}},
		"an object":           {contentType(asJSON), `{"id":"p1","object":{"bucket":"photos","name":"a/b.jpg"}}`, Upload{ID: "p1", Object: object}},
		"a null beside":       {contentType(asJSON), `{"url":null,"object":{"bucket":"photos","name":"a/b.jpg"}}`, Upload{ID: "UPLOADS:4711", Object: object}},
		"a type with a charset, in capitals": {
			headers{"CONTENT-TYPE": {"Application/JSON; charset=utf-8"}},
			`{"url":"https://a/b"}`,
			Upload{ID: "UPLOADS:4711", URL: "https://a/b"},
		},
		"a type with broken parameters": {contentType("application/json; charset"), `{"url":"https://a/b"}`, Upload{ID: "UPLOADS:4711", URL: "https://a/b"}},
		"fields that are not known": {
			contentType(asJSON), `{"url":"https://a/b","user":{"n":1.50},"tags":["x"],"none":null,"ID":7}`,
			Upload{ID: "UPLOADS:4711", URL: "https://a/b", Attributes: attributes("user", `{"n":1.50}`, "tags", `["x"]`, "none", `null`, "ID", `7`)},
		},
		"the reference's id before the message's": {
			contentType(asJSON, "Nats-Msg-Id", "m1"), `{"id":"p1","url":"https://a/b"}`,
			Upload{ID: "p1", URL: "https://a/b"},
		},

		"an event of a file": {
			headers{"ce-specversion": {"1.0"}, "ce-id": {"e1"}, "ce-type": {"t"}, "ce-source": {"/s"}, "Nats-Msg-Id": {"m1"}},
			"x",
			Upload{ID: "e1", Body: []byte("x")},
		},
		"headers in any case": {
			headers{"CE-ID": {"e1"}, "Ce-DataContentType": {"image/png"}, "CE-Album": {"summer"}},
			"x",
			Upload{ID: "e1", Body: []byte("x"), Attributes: attributes("album", `"summer"`)},
		},
		"headers that are percent-encoded": {
			headers{"ce-id": {"caf%C3%A9%20%E2%82%AC"}, "ce-album": {"100%25+%22a%22"}},
			"x",
			Upload{ID: "café €", Body: []byte("x"), Attributes: attributes("album", `"100%+\"a\""`)},
		},
		"headers that only look so": {
			headers{"ce-id": {"100%"}, "ce-album": {"5%zz"}},
			"x",
			Upload{ID: "100%", Body: []byte("x"), Attributes: attributes("album", `"5%zz"`)},
		},
		"headers twice, the first in byte order counts": {
			headers{"ce-id": {"small"}, "CE-ID": {"capital"}, "ce-a": {"small"}, "CE-A": {"capital"}},
			"x",
			Upload{ID: "capital", Body: []byte("x"), Attributes: attributes("a", `"capital"`)},
		},
		"an event of a reference": {
			contentType(asJSON, "ce-id", "e1", "ce-album", "summer", "ce-b", "event"), `{"id":"p1","url":"https://a/b","b":"reference"}`,
			Upload{ID: "e1", URL: "https://a/b", Attributes: attributes("album", `"summer"`, "b", `"reference"`)},
		},
		"an event's type of its data": {
			headers{"ce-id": {"e1"}, "ce-datacontenttype": {"application%2Fjson"}},
			`{"url":"https://a/b"}`,
			Upload{ID: "e1", URL: "https://a/b"},
		},

		"a structured event of a file": {
			contentType(asEvent+"; charset=UTF-8", "Nats-Msg-Id", "m1"),
			`{"specversion":"1.0","type":"t","source":"/s","id":"e1","subject":"s","time":"2026-01-01T00:00:00Z","dataschema":"d","datacontenttype":"image/png","album":"summer","n":3,"data_base64":"/9j/"}`,
			Upload{ID: "e1", Body: []byte("\xff\xd8\xff"), Attributes: attributes("album", `"summer"`, "n", `3`)},
		},
		"a structured event of a URL": {
			contentType(asEvent), `{"specversion":"1.0","id":"e1","album":"summer","data":{"id":"p1","url":"https://a/b","n":1}}`,
			Upload{ID: "e1", URL: "https://a/b", Attributes: attributes("album", `"summer"`, "n", `1`)},
		},
		"a structured event of an object": {
			contentType(asEvent, "ce-id", "header"), `{"specversion":"1.0","id":"e1","data":{"object":{"bucket":"photos","name":"a/b.jpg"}}}`,
			Upload{ID: "e1", Object: object},
		},
		"an id that is a number":    {contentType(asJSON), `{"id":90071992547409931,"url":"https://a/b"}`, Upload{ID: "90071992547409931", URL: "https://a/b"}},
		"an id that is a fraction":  {contentType(asJSON), `{"id": -1.50,"url":"https://a/b"}`, Upload{ID: "-1.50", URL: "https://a/b"}},
		"an id that is null":        {contentType(asJSON, "Nats-Msg-Id", "m1"), `{"id":null,"url":"https://a/b"}`, Upload{ID: "m1", URL: "https://a/b"}},
		"an event's id is a number": {contentType(asEvent), `{"specversion":"1.0","id":7,"data":{"url":"https://a/b"}}`, Upload{ID: "7", URL: "https://a/b"}},
		"a byte order mark":         {contentType(asJSON), "\uFEFF" + `{"id":"p1","url":"https://a/b"}`, Upload{ID: "p1", URL: "https://a/b"}},
		"an event with a byte order mark": {
			contentType(asEvent), "\uFEFF" + `{"specversion":"1.0","id":"e1","data_base64":"/9j/"}`,
			Upload{ID: "e1", Body: []byte("\xff\xd8\xff")},
		},
		"null data beside a file": {contentType(asEvent), `{"specversion":"1.0","id":"e1","data":null,"data_base64":"/9j/"}`, Upload{ID: "e1", Body: []byte("\xff\xd8\xff")}},
		"a null file beside data": {contentType(asEvent), `{"specversion":"1.0","id":"e1","data":{"url":"https://a/b"},"data_base64":null}`, Upload{ID: "e1", URL: "https://a/b"}},
		"base64 of URLs":          {contentType(asEvent), `{"specversion":"1.0","id":"e1","data_base64":"_9j_-A=="}`, Upload{ID: "e1", Body: []byte("\xff\xd8\xff\xf8")}},
		"base64 without padding":  {contentType(asEvent), `{"specversion":"1.0","id":"e1","data_base64":"/9j/+A"}`, Upload{ID: "e1", Body: []byte("\xff\xd8\xff\xf8")}},
		"base64 in lines":         {contentType(asEvent), `{"specversion":"1.0","id":"e1","data_base64":"/9j/\r\n+A==\r\n"}`, Upload{ID: "e1", Body: []byte("\xff\xd8\xff\xf8")}},

		"a URL without a type":        {headers{"ce-id": {"e1"}}, "\uFEFF \n" + `{"id":"p1","url":"https://a/b"}`, Upload{ID: "e1", URL: "https://a/b"}},
		"an object without a type":    {nil, `{"id":"p1","object":{"bucket":"photos","name":"a/b.jpg"}}`, Upload{ID: "p1", Object: object}},
		"an event without a type":     {nil, `{"specversion":"1.0","id":"e1","data_base64":"/9j/"}`, Upload{ID: "e1", Body: []byte("\xff\xd8\xff")}},
		"other JSON without a type":   {nil, `{"user":"u1"}`, Upload{ID: "UPLOADS:4711", Body: []byte(`{"user":"u1"}`)}},
		"half a JSON without a type":  {nil, `{"url":`, Upload{ID: "UPLOADS:4711", Body: []byte(`{"url":`)}},
		"a reference of another type": {contentType("image/jpeg"), `{"url":"https://a/b"}`, Upload{ID: "UPLOADS:4711", Body: []byte(`{"url":"https://a/b"}`)}},

		"what is not UTF-8 in JSON": {
			contentType(asJSON), "{\"id\":\"caf\xe9\",\"url\":\"https://a/b\",\"by\":\"Ren\xe9\"}",
			Upload{ID: "caf\uFFFD", URL: "https://a/b", Attributes: attributes("by", "\"Ren\uFFFD\"")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Subject, c.want.Stream, c.want.Sequence, c.want.Published = "uploads.web", "UPLOADS", 4711, stored
			got, err := ParseUpload(message(c.header, c.data))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
