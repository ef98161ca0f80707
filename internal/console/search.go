package console

import (
	"net/http"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

// Nearest holds the nearest pictures of the library, best first.
type Nearest struct {
	Flagged []recognise.NearFlag
	Allowed []NearAllowed
	Recent  []NearRecent
	Hidden  string // why Recent cannot be shown
}

// NearRecent is an upload that is kept for look-backs.
type NearRecent struct {
	matchdb.Recent
	Info event.UploadInfo
}

// NearAllowed is an allowed picture, by its nearest view.
type NearAllowed struct {
	matchdb.AllowHit
	SameFile     bool
	Source, Note string
}

// foundFlags is the number of flags that a search shows.
const foundFlags = 10

type searchPage struct {
	Picture *chosen
	Nearest
}

func (c *Console) searchPage(*http.Request) (view, error) {
	return view{Page: "search", Title: "Search", Data: searchPage{}}, nil
}

func (c *Console) search(r *http.Request) (view, error) {
	v := view{Page: "search", Title: "Search", Data: searchPage{}}
	pictures, err := c.take(r, "picture")
	if err != nil {
		return v, err
	}
	page := searchPage{Picture: pictures[0]}
	if page.Nearest, err = c.Pictures.Search(r.Context(), page.Picture.data, foundFlags); err != nil {
		return v, err
	}
	v.Data = page
	return v, nil
}
