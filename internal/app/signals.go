package app

import (
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// Signals are what a flagged or an allowed picture is found by, beside its file.
type Signals struct {
	Embeddings []matchdb.Embedding
	PDQ        []matchdb.PDQ
	Points     keypoint.Features
}

// Signals are the picture's, for the library. A flat one has none: they would be near to every flat upload.
func (e Extracted) Signals() (s Signals, err error) {
	if e.Flat() {
		return s, nil
	}
	for _, v := range e.Vectors {
		s.Embeddings = append(s.Embeddings, matchdb.Embedding{View: v.Name(), Vector: v.Vector, Half: v.Half + views.Handicap(v.View)})
		s.PDQ = append(s.PDQ, matchdb.PDQ{View: v.Name(), Hash: v.PDQ, Quality: v.Quality})
	}
	s.Points, err = e.Points(true)
	return s, err
}

// Flat reports whether there is nothing to see in any frame or view: only copies of the file are found then.
func (e Extracted) Flat() bool {
	for _, v := range e.Vectors {
		if v.Quality >= pdq.FlatQuality {
			return false
		}
	}
	return true
}
