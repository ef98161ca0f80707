package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on what decisions copy from an upload, so that a decision fits a message.
const (
	MaxIDBytes         = 512
	MaxAttributesBytes = 64 << 10
)

// ErrMalformed is wrapped by every error of ParseUpload. A redelivery does not help.
var ErrMalformed = errors.New("malformed upload message")

// Message is an upload as the stream delivered it.
type Message struct {
	Subject   string
	Stream    string
	Sequence  uint64
	Timestamp time.Time // when the stream stored it
	Header    map[string][]string
	Data      []byte
}

// Upload is a parsed message. Exactly one of Body, URL and Object is set.
type Upload struct {
	ID         string // from the event or reference, else Nats-Msg-Id, else <stream>:<sequence>
	Subject    string
	Stream     string
	Sequence   uint64
	Published  time.Time
	Body       []byte
	URL        string
	Object     *Object
	Attributes map[string]json.RawMessage // all other fields, copied into the decision
}

// Object names an object in a JetStream object store.
type Object struct {
	Bucket string `json:"bucket"`
	Name   string `json:"name"`
}

// Key returns UploadInfo.Key.
func (u Upload) Key() string {
	return UploadInfo{Stream: u.Stream, Sequence: u.Sequence, Stored: u.Published}.Key()
}

// ParseUpload parses a message. With an error, which wraps ErrMalformed, the Upload still has its ID, Subject, Stream,
// Sequence and Published, so that it can be decided.
func ParseUpload(m Message) (Upload, error) {
	u := Upload{Subject: m.Subject, Stream: m.Stream, Sequence: m.Sequence, Published: m.Timestamp}
	u.ID = place(u.Stream, u.Sequence)
	if id := header(m.Header, "Nats-Msg-Id"); validID(id) {
		u.ID = id
	}
	id := unescape(header(m.Header, "ce-id"))
	if id != "" {
		if err := u.setID(id); err != nil {
			return u, err
		}
	}
	contentType := header(m.Header, "Content-Type")
	if contentType == "" {
		contentType = unescape(header(m.Header, "ce-datacontenttype"))
	}
	kind := mediaType(contentType)
	if contentType == "" {
		kind = sniff(m.Data)
	}
	var err error
	switch kind {
	case "application/cloudevents+json":
		err = u.parseCloudEvent(m.Data)
	case "application/json":
		u.addExtensionHeaders(m.Header)
		err = u.parseReference(m.Data, id != "")
	default:
		u.addExtensionHeaders(m.Header)
		err = u.setBody(m.Data)
	}
	// Malformed uploads are decided too, and their decisions must fit a message.
	if limit := u.limitAttributes(); err == nil {
		err = limit
	}
	if err != nil {
		u.Body, u.URL, u.Object = nil, "", nil
	}
	return u, err
}

func (u *Upload) setID(id string) error {
	if !validID(id) {
		return fmt.Errorf("%w: id is %d bytes or not UTF-8, wanted at most %d bytes of UTF-8", ErrMalformed, len(id), MaxIDBytes)
	}
	u.ID = id
	return nil
}

func (u *Upload) setBody(data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: the message is empty, wanted an image or a reference", ErrMalformed)
	}
	u.Body = data
	return nil
}

func (u *Upload) setAttribute(name string, value json.RawMessage) {
	if u.Attributes == nil {
		u.Attributes = map[string]json.RawMessage{}
	}
	u.Attributes[name] = value
}

func (u *Upload) limitAttributes() error {
	size := 0
	for name, value := range u.Attributes {
		size += len(name) + len(value)
	}
	if size <= MaxAttributesBytes {
		return nil
	}
	u.Attributes = nil
	return fmt.Errorf("%w: the attributes are %d bytes, wanted at most %d", ErrMalformed, size, MaxAttributesBytes)
}

func validID(id string) bool { return id != "" && len(id) <= MaxIDBytes && utf8.ValidString(id) }

// mediaType returns the media type in lower case, without its parameters.
func mediaType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(contentType, ";")
		return strings.ToLower(strings.TrimSpace(t))
	}
	return t
}

// sniff returns the media type of a JSON message without a Content-Type, or "". No picture's file begins with a brace.
func sniff(data []byte) (kind string) {
	if trimmed := bytes.TrimLeft(bytes.TrimPrefix(data, bom), " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return ""
	}
	fields, err := object(data)
	switch {
	case err != nil:
		return ""
	case given(fields, "specversion"):
		return "application/cloudevents+json"
	case given(fields, "url") || given(fields, "object"):
		return "application/json"
	}
	return ""
}

// header looks a header up, ignoring case: NATS keeps names as the publisher wrote them. If names differ only in case, the
// first in byte order counts.
func header(h map[string][]string, name string) (value string) {
	found := ""
	for key, values := range h {
		if len(values) > 0 && strings.EqualFold(key, name) && (found == "" || key < found) {
			found, value = key, values[0]
		}
	}
	return value
}

// unescape decodes the percent-encoding of CloudEvents' header values. It returns other values unchanged.
func unescape(value string) string {
	if s, err := url.PathUnescape(value); err == nil {
		return s
	}
	return value
}
