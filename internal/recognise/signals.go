package recognise

import (
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// Signals are what a flagged or an allowed picture is found by, beside its file and its keypoints. A flat one has
// none: they would be near to every flat upload.
func (e Extracted) Signals() (embeddings []matchdb.Embedding, hashes []matchdb.PDQ) {
	if e.Flat() {
		return nil, nil
	}
	for _, v := range e.Vectors {
		embeddings = append(embeddings, matchdb.Embedding{View: v.Name(), Vector: v.Vector, Penalty: v.Penalty + ViewPenalty(v.View)})
		hashes = append(hashes, matchdb.PDQ{View: v.Name(), Hash: v.PDQ, Quality: v.Quality})
	}
	return embeddings, hashes
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
