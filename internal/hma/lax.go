package hma

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// object is a JSON object of a request. Its values are read as pydantic's lax mode does: numbers and booleans may be strings.
type object map[string]json.RawMessage

// maxJSON bounds a body of JSON, in bytes.
const maxJSON = 1 << 20

// readObject reads the body; one that is no JSON object breaks the schema.
func readObject(r *http.Request) (object, error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxJSON))
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes of JSON, or ended early", maxJSON)
	}
	var o object
	if json.Unmarshal(data, &o) != nil || o == nil {
		return nil, mistyped("body", "object")
	}
	return o, nil
}

// text returns nil where the object has no such value.
func (o object) text(name string) (*string, error) {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, mistyped(name, "string")
	}
	return &text, nil
}

// scalar is the text of a string, number or boolean.
func (o object) scalar(name string) (string, bool) {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.TrimSpace(text), true
	}
	return string(raw), true
}

func (o object) number(name string) (*float64, error) {
	text, ok := o.scalar(name)
	if !ok {
		return nil, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return nil, mistyped(name, "number")
	}
	return &n, nil
}

func (o object) integer(name string) (*int64, error) {
	text, ok := o.scalar(name)
	if !ok {
		return nil, nil
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, ".0"), 10, 64)
	if err != nil {
		return nil, mistyped(name, "integer")
	}
	return &n, nil
}

func (o object) boolean(name string) (*bool, error) {
	text, ok := o.scalar(name)
	if !ok {
		return nil, nil
	}
	b, err := boolean(name, text)
	return &b, err
}

func boolean(name, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "1.0", "t", "on", "y", "yes":
		return true, nil
	case "false", "0", "0.0", "f", "off", "n", "no":
		return false, nil
	}
	return false, mistyped(name, "boolean")
}

// flag is a boolean of the query.
func flag(r *http.Request, name string, otherwise bool) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	return boolean(name, text)
}

// list is a comma-separated list of the query, without empty elements.
func list(r *http.Request, name string) []string {
	var all []string
	for _, element := range strings.Split(r.URL.Query().Get(name), ",") {
		if element = strings.TrimSpace(element); element != "" {
			all = append(all, element)
		}
	}
	return all
}
