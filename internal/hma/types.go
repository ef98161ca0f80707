package hma

import (
	"net/http"
	"slices"
)

type signalTypeConfig struct {
	Name  string `json:"name"`
	Ratio ratio  `json:"enabled_ratio"`
}

func signalTypeList(*http.Request) (answer, error) {
	all := []signalTypeConfig{}
	for _, name := range allTypes {
		all = append(all, signalTypeConfig{name, 1})
	}
	return answer{body: all}, nil
}

// changeSignalType takes the one ratio that signal types have here.
func changeSignalType(r *http.Request) (answer, error) {
	body, err := readObject(r)
	if err != nil {
		return answer{}, err
	}
	enabled, err := body.number("enabled_ratio")
	switch name := r.PathValue("name"); {
	case err != nil:
		return answer{}, err
	case enabled == nil:
		return answer{}, missing("enabled_ratio")
	case !slices.Contains(allTypes, name):
		return answer{}, badRequest("No such signal type '%s'", name)
	case *enabled != 1:
		return answer{}, badRequest("enabled_ratio is %v, wanted 1: signal types are always on; a request's types select among them", *enabled)
	}
	return answer{status: http.StatusNoContent}, nil
}

type contentTypeConfig struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

func contentTypeList(*http.Request) (answer, error) {
	return answer{body: []contentTypeConfig{{photo, true}, {video, true}}}, nil
}

// Exchanges are flagctl's: HMA's clients see none.

func emptyList(*http.Request) (answer, error) { return answer{body: []string{}}, nil }

func noAPI(status int) handler {
	return func(r *http.Request) (answer, error) {
		return answer{}, refuse(status, "no such Exchange API '%s'", r.PathValue("api"))
	}
}

func noExchange(r *http.Request) (answer, error) {
	return answer{}, refuse(http.StatusNotFound, "Exchange '%s' not found", r.PathValue("name"))
}

func addExchange(r *http.Request) (answer, error) {
	body, err := readObject(r)
	if err != nil {
		return answer{}, err
	}
	for _, name := range []string{"bank", "api"} {
		text, err := body.text(name)
		if err != nil {
			return answer{}, err
		}
		if text == nil {
			return answer{}, missing(name)
		}
	}
	api, _ := body.text("api") // read above
	return answer{}, badRequest("No such exchange type '%s'", *api)
}

// deleteExchange keeps the bank of that name: no exchange made it.
func deleteExchange(*http.Request) (answer, error) {
	return answer{body: map[string]string{"message": "Exchange deleted"}}, nil
}
