package hma

import (
	"net/http"
	"strings"
)

// route is an endpoint; path is a pattern of http.ServeMux.
type route struct {
	method, path string
	handle       handler
}

func (s *Server) routes() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{get, "/status", s.status},
		{get, "/status/live", live},
		{get, "/site-map", s.siteMap},
		{get, "/openapi/openapi.json", s.openAPI},

		{get, "/h/hash", s.hashURL},
		{post, "/h/hash", s.hashFile},

		{get, "/m/lookup", s.lookup},
		{post, "/m/lookup", s.lookupFile},
		{get, "/m/raw_lookup", s.rawLookup},
		{post, "/m/compare", s.compare},
		{get, "/m/index/status", s.indexStatus},

		{get, "/c/banks", s.banks},
		{post, "/c/banks", s.addBank},
		{get, "/c/bank/{bank}", s.bank},
		{put, "/c/bank/{bank}", s.changeBank},
		{del, "/c/bank/{bank}", s.deleteBank},
		{post, "/c/bank/{bank}/content", s.addContent},
		{get, "/c/bank/{bank}/content/{id}", s.content},
		{put, "/c/bank/{bank}/content/{id}", s.changeContent},
		{del, "/c/bank/{bank}/content/{id}", s.deleteContent},
		{post, "/c/bank/{bank}/signal", s.addSignals},

		{get, "/c/signal_type", signalTypeList},
		{put, "/c/signal_type/{name}", changeSignalType},
		{get, "/c/signal_type/index", s.signalTypeIndex},
		{get, "/c/content_type", contentTypeList},

		{get, "/c/exchanges/apis", emptyList},
		{get, "/c/exchanges/api/{api}", noAPI(http.StatusBadRequest)},
		{post, "/c/exchanges/api/{api}", noAPI(http.StatusBadRequest)},
		{get, "/c/exchanges/api/{api}/schema", noAPI(http.StatusNotFound)},
		{get, "/c/exchanges", emptyList},
		{post, "/c/exchanges", addExchange},
		{get, "/c/exchange/{name}", noExchange},
		{put, "/c/exchange/{name}", noExchange},
		{del, "/c/exchange/{name}", deleteExchange},
		{get, "/c/exchange/{name}/status", noExchange},
	}
}

// siteMap lists the paths, with parameters as Flask writes them.
func (s *Server) siteMap(*http.Request) (answer, error) {
	paths, seen := []string{}, map[string]bool{}
	for _, r := range s.routes() {
		if path := strings.NewReplacer("{", "<", "}", ">").Replace(r.path); !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	return answer{body: paths}, nil
}

// openAPI names the paths and methods, and no schemas.
func (s *Server) openAPI(*http.Request) (answer, error) {
	paths := map[string]map[string]any{}
	for _, r := range s.routes() {
		if paths[r.path] == nil {
			paths[r.path] = map[string]any{}
		}
		paths[r.path][strings.ToLower(r.method)] = map[string]any{
			"parameters": pathParameters(r.path),
			"responses":  map[string]any{"default": map[string]string{"description": "see docs/hma.md"}},
		}
	}
	return answer{body: map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]string{"title": "Open Media Match API", "version": "1.1.7"},
		"paths":   paths,
	}}, nil
}

func pathParameters(path string) []map[string]any {
	parameters := []map[string]any{}
	for _, part := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parameters = append(parameters, map[string]any{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": map[string]string{"type": "string"},
			})
		}
	}
	return parameters
}
