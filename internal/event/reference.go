package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// parseReference reads {"id": …, "url": …} or {"id": …, "object": {…}}; other fields become attributes.
func (u *Upload) parseReference(data []byte) error {
	fields, err := object(data)
	if err != nil {
		return fmt.Errorf(`%w: the reference is not a JSON object (%s), wanted {"url": "https://…"} or {"object": {"bucket": …, "name": …}}`, ErrMalformed, err)
	}
	for name, value := range fields {
		switch name {
		case "id":
			err = u.stringID(value)
		case "url":
			err = decode(name, value, &u.URL)
		case "object":
			err = decode(name, value, &u.Object)
		default:
			u.setAttribute(name, value)
		}
		if err != nil {
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
	var version string
	if err := decode("specversion", fields["specversion"], &version); err != nil || version != "1.0" {
		return fmt.Errorf(`%w: the CloudEvent's specversion is %s, wanted "1.0"`, ErrMalformed, orNothing(fields["specversion"]))
	}
	id, named := fields["id"]
	if !named {
		return fmt.Errorf("%w: the CloudEvent has no id", ErrMalformed)
	}
	data, hasData := fields["data"]
	encoded, hasBytes := fields["data_base64"]
	if hasData == hasBytes {
		return fmt.Errorf("%w: the CloudEvent wants one of data (a reference) and data_base64 (a file)", ErrMalformed)
	}
	for name, value := range fields {
		if !coreAttributes[name] {
			u.setAttribute(name, value)
		}
	}
	if hasData {
		if err := u.parseReference(data); err != nil {
			return err
		}
		return u.stringID(id) // the event's id goes before the reference's
	}
	if err := u.stringID(id); err != nil {
		return err
	}
	var text string
	if err := decode("data_base64", encoded, &text); err != nil {
		return err
	}
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: the CloudEvent's data_base64 is not base64: %s", ErrMalformed, err)
	}
	return u.setBody(file)
}

// coreAttributes are CloudEvents' own; everything else in an event is an extension.
var coreAttributes = map[string]bool{
	"specversion": true, "type": true, "source": true, "id": true, "subject": true, "time": true,
	"datacontenttype": true, "dataschema": true, "data": true, "data_base64": true,
}

// addExtensionHeaders copies a binary-mode event's extensions into the attributes.
func (u *Upload) addExtensionHeaders(h map[string][]string) {
	for key, values := range h {
		name, isEvent := strings.CutPrefix(strings.ToLower(key), "ce-")
		if !isEvent || coreAttributes[name] || len(values) == 0 {
			continue
		}
		if value, err := json.Marshal(unescape(values[0])); err == nil {
			u.setAttribute(name, value)
		}
	}
}

func (u *Upload) stringID(value json.RawMessage) error {
	var id string
	if err := decode("id", value, &id); err != nil {
		return err
	}
	return u.setID(id)
}

func object(data []byte) (fields map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, fmt.Errorf("it is null")
	}
	return fields, nil
}

func decode(name string, value json.RawMessage, into any) error {
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%w: %s is %s: %s", ErrMalformed, name, orNothing(value), err)
	}
	return nil
}

// orNothing shows the beginning of a value in an error.
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
