package console

import (
	"net/http"
	"slices"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// shownFlags is the number of flags on a bank's page.
const shownFlags = 100

type bankPage struct {
	Bank  matchdb.Bank
	Flags []matchdb.Flagged // the newest, retracted ones too
	May   bool              // the user may change it
}

func (c *Console) bankPage(r *http.Request) (view, error) {
	name := r.PathValue("name")
	banks, err := c.Library.Banks(r.Context(), c.Model)
	if err != nil {
		return view{}, err
	}
	at := slices.IndexFunc(banks, func(b matchdb.Bank) bool { return b.Name == name })
	if at < 0 {
		return view{}, &problem{http.StatusNotFound, "The library has no bank " + cut(name, maxUploadShown) + "."}
	}
	page := bankPage{Bank: banks[at]}
	if page.Flags, err = c.Library.ListFlags(r.Context(), matchdb.FlagFilter{Bank: name, Retracted: true, Limit: shownFlags}); err != nil {
		return view{}, err
	}
	page.May, err = c.may(r, Curator)
	return view{Page: "bank", Title: "Bank " + name, Data: page}, err
}

// flagPage is a decision without an event: the templates of a flag take either.
type flagPage struct {
	Flag    *matchdb.Flagged
	Event   event.CloudEvent
	Shown   bool // the flag names its picture
	May     bool // the user may change it
	Changes []change
	Hidden  string // why Changes cannot be shown
}

func (c *Console) flagPage(r *http.Request) (view, error) {
	flag, err := c.Library.Show(r.Context(), r.PathValue("id"))
	if err != nil {
		return view{}, libraryProblem(err)
	}
	page := flagPage{Flag: &flag}
	_, page.Shown = original(flag)
	if page.May, err = c.may(r, Curator); err != nil {
		return view{}, err
	}
	changes, err := c.Library.Audit(r.Context(), matchdb.AuditFilter{Image: flag.ID.String()})
	if err != nil {
		page.Hidden = err.Error()
	}
	for _, each := range changes {
		page.Changes = append(page.Changes, newChange(each))
	}
	return view{Page: "flag", Title: "Flag", Data: page}, nil
}
