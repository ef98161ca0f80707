package hma

import (
	"net/http"
	"slices"
	"time"

	"moderator/internal/matchdb"
)

const alive = plainText("I-AM-ALIVE")

func live(*http.Request) (answer, error) { return answer{body: alive}, nil }

// status says whether look-ups know the library. A stale candidate index still finds every flag, more slowly; its reason
// is a database that does not answer.
func (s *Server) status(*http.Request) (answer, error) {
	switch read := s.db.LastRead(); {
	case read.IsZero():
		return answer{http.StatusServiceUnavailable, plainText("INDEX-NOT-LOADED")}, nil
	case time.Since(read) > s.config.StaleAfter:
		return answer{http.StatusServiceUnavailable, plainText("INDEX-STALE")}, nil
	}
	return answer{body: alive}, nil
}

// ready fails until the library is read.
func (s *Server) ready() error {
	if s.db.LastRead().IsZero() {
		return refuse(http.StatusServiceUnavailable, "index not yet ready")
	}
	return nil
}

// selectedTypes are the signal types that the query's signal_type selects.
func selectedTypes(r *http.Request) ([]string, error) {
	name := r.URL.Query().Get("signal_type")
	switch {
	case name == "":
		return allTypes, nil
	case !slices.Contains(allTypes, name):
		return nil, badRequest("No such signal type '%s'", name)
	}
	return []string{name}, nil
}

func sizeOf(c matchdb.SignalCounts, kind string) int64 {
	return map[string]int64{typePDQ: c.PDQ, typeMD5: c.MD5, typeOwn: c.Embeddings}[kind]
}

// countTypes returns the signal types that a request selects, and how many of each the library holds.
func (s *Server) countTypes(r *http.Request) (types []string, counts matchdb.SignalCounts, err error) {
	if types, err = selectedTypes(r); err != nil {
		return nil, counts, err
	}
	counts, err = s.db.CountSignals(r.Context(), s.pictures.fingerprint())
	return types, counts, err
}

type indexStatus struct {
	Present bool  `json:"present"`
	BuiltTo int64 `json:"built_to"`
	Size    int64 `json:"size"`
}

func (s *Server) indexStatus(r *http.Request) (answer, error) {
	types, counts, err := s.countTypes(r)
	if err != nil {
		return answer{}, err
	}
	all, read := map[string]indexStatus{}, s.db.LastRead()
	for _, kind := range types {
		all[kind] = indexStatus{BuiltTo: -1}
		if !read.IsZero() {
			all[kind] = indexStatus{true, read.Unix(), sizeOf(counts, kind)}
		}
	}
	return answer{body: all}, nil
}

type typeIndex struct {
	DBSize       int64 `json:"db_size"`
	IndexSize    int64 `json:"index_size"`
	OutOfDate    bool  `json:"index_out_of_date"`
	NewestDBItem int64 `json:"newest_db_item"`
	IndexBuiltTo int64 `json:"index_built_to"`
}

// signalTypeIndex is never out of date: a search sees each flag from its commit on.
func (s *Server) signalTypeIndex(r *http.Request) (answer, error) {
	types, counts, err := s.countTypes(r)
	if err != nil {
		return answer{}, err
	}
	all := map[string]typeIndex{}
	for _, kind := range types {
		size := sizeOf(counts, kind)
		all[kind] = typeIndex{DBSize: size, IndexSize: size, NewestDBItem: counts.Newest, IndexBuiltTo: counts.Newest}
	}
	return answer{body: all}, nil
}
