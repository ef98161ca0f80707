package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// parseReference reads {"id": …, "url": …} or {"id": …, "object": {…}}. Other fields become attributes. named means that
// the upload has an id from its event, which wins. Id and attributes are read first: the decision on a reference that is
// malformed otherwise has them too.
func (u *Upload) parseReference(data []byte, named bool) error {
	fields, err := object(data)
	if err != nil {
		return fmt.Errorf(`%w: the reference is not a JSON object (%s), wanted {"url": "https://…"} or {"object": {"bucket": …, "name": …}}`, ErrMalformed, err)
	}
	for name, value := range fields {
		if name != "id" && name != "url" && name != "object" {
			u.setAttribute(name, value)
		}
	}
	if given(fields, "id") && !named {
		if err := u.readID(fields["id"]); err != nil {
			return err
		}
	}
	if value, ok := fields["url"]; ok {
		if err := decode("url", value, &u.URL); err != nil {
			return err
		}
	}
	if value, ok := fields["object"]; ok {
		if err := decode("object", value, &u.Object); err != nil {
			return err
		}
	}
	switch {
	case u.Object != nil && u.URL != "":
		return fmt.Errorf("%w: the reference has both url and object, wanted one", ErrMalformed)
	case u.Object != nil && (u.Object.Bucket == "" || u.Object.Name == ""):
		return fmt.Errorf("%w: the reference's object lacks its bucket or its name", ErrMalformed)
	case u.Object == nil && u.URL == "":
		return fmt.Errorf("%w: the reference has neither url nor object", ErrMalformed)
	}
	return nil
}

// parseCloudEvent reads a structured-mode event: data_base64 is a file, data a reference.
func (u *Upload) parseCloudEvent(body []byte) error {
	fields, err := object(body)
	if err != nil {
		return fmt.Errorf("%w: the CloudEvent is not a JSON object: %s", ErrMalformed, err)
	}
	named := given(fields, "id")
	if named {
		if err := u.readID(fields["id"]); err != nil {
			return err
		}
	}
	var version string
	if err := decode("specversion", fields["specversion"], &version); err != nil || version != "1.0" {
		return fmt.Errorf(`%w: the CloudEvent's specversion is %s, wanted "1.0"`, ErrMalformed, orNothing(fields["specversion"]))
	}
	if !named {
		return fmt.Errorf("%w: the CloudEvent has no id", ErrMalformed)
	}
	hasData := given(fields, "data")
	if hasData == given(fields, "data_base64") {
		return fmt.Errorf("%w: the CloudEvent has both or neither of data (a reference) and data_base64 (a file), wanted one", ErrMalformed)
	}
	for name, value := range fields {
		if !coreAttributes[name] {
			u.setAttribute(name, value)
		}
	}
	if hasData {
		return u.parseReference(fields["data"], true)
	}
	var text string
	if err := decode("data_base64", fields["data_base64"], &text); err != nil {
		return err
	}
	file, err := base64.RawStdEncoding.DecodeString(standard.Replace(strings.TrimRight(text, "=\r\n")))
	if err != nil {
		return fmt.Errorf("%w: the CloudEvent's data_base64 is not base64: %s", ErrMalformed, err)
	}
	return u.setBody(file)
}

// standard maps base64url (RFC 4648, section 5) to base64.
var standard = strings.NewReplacer("-", "+", "_", "/")

// coreAttributes are defined by CloudEvents. All other fields of an event are extensions.
var coreAttributes = map[string]bool{
	"specversion": true, "type": true, "source": true, "id": true, "subject": true, "time": true,
	"datacontenttype": true, "dataschema": true, "data": true, "data_base64": true,
}

// addExtensionHeaders copies a binary-mode event's extensions into the attributes. If names differ only in case, the first
// counts, as in header.
func (u *Upload) addExtensionHeaders(h map[string][]string) {
	for _, key := range slices.Sorted(maps.Keys(h)) {
		values := h[key]
		name, isEvent := strings.CutPrefix(strings.ToLower(key), "ce-")
		if _, taken := u.Attributes[name]; taken || !isEvent || coreAttributes[name] || len(values) == 0 {
			continue
		}
		if value, err := json.Marshal(unescape(values[0])); err == nil {
			u.setAttribute(name, value)
		}
	}
}

// readID accepts strings and numbers: databases often have numeric keys.
func (u *Upload) readID(value json.RawMessage) error {
	var number json.Number
	if value[0] != '"' && json.Unmarshal(value, &number) == nil {
		return u.setID(number.String())
	}
	var id string
	if err := decode("id", value, &id); err != nil {
		return err
	}
	return u.setID(id)
}

// bom is UTF-8's byte order mark, which some programs write before JSON.
var bom = []byte("\uFEFF")

// given reports whether a field is present and not null.
func given(fields map[string]json.RawMessage, name string) bool {
	value, ok := fields[name]
	return ok && string(value) != "null"
}

// object reads a JSON object. It replaces invalid UTF-8, as encoding/json does in strings: attributes go into decisions as
// raw JSON, which every reader must be able to parse.
func object(data []byte) (fields map[string]json.RawMessage, err error) {
	data = bytes.TrimPrefix(data, bom)
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("it is null")
	}
	return fields, nil
}

func decode(name string, value json.RawMessage, into any) error {
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%w: %s is %s: %s", ErrMalformed, name, orNothing(value), err)
	}
	return nil
}

// orNothing returns the beginning of a value, or "missing", for an error.
func orNothing(value json.RawMessage) string {
	const most = 40
	if len(value) == 0 {
		return "missing"
	}
	if len(value) > most {
		return string(bytes.ToValidUTF8(value[:most], nil)) + "…"
	}
	return string(value)
}
