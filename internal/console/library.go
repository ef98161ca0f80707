package console

import (
	"net/http"

	"moderator/internal/matchdb"
)

type libraryPage struct {
	Banks   []matchdb.Bank
	Stats   matchdb.Stats
	Models  []matchdb.Model
	Indexes []matchdb.Index
	Model   string // the fingerprint of the one that judges
}

func (c *Console) libraryPage(r *http.Request) (view, error) {
	page := &libraryPage{Model: c.Model}
	v := view{Page: "library", Title: "Library", Data: page}
	var err error
	if page.Banks, err = c.Library.Banks(r.Context(), c.Model); err != nil {
		return v, err
	}
	if page.Stats, err = c.Library.Stats(r.Context()); err != nil {
		return v, err
	}
	if page.Models, err = c.Library.Models(r.Context()); err != nil {
		return v, err
	}
	page.Indexes, err = c.Library.Indexes(r.Context())
	return v, err
}
