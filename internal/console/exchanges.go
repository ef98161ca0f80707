package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"moderator/internal/matchdb"
)

type exchangesPage struct {
	Exchanges []exchangeRow
	Refused   []refusedRow
}

// exchangeRow is an exchange as the page shows it.
type exchangeRow struct {
	matchdb.Exchange
	Every   string
	Age     string // of the last fetch that reached the source's end
	Refused int64
}

// refusedRow counts what an exchange's source said and the library did not take, for one reason.
type refusedRow struct {
	Exchange, Reason string
	Count            int64
}

func (c *Console) exchangesPage(r *http.Request) (view, error) {
	page := &exchangesPage{}
	v := view{Page: "exchanges", Title: "Exchanges", Data: page}
	all, err := c.Library.Exchanges(r.Context())
	if err != nil {
		return v, err
	}
	for _, e := range all {
		var settings struct {
			Every string `json:"every"`
		}
		_ = json.Unmarshal(e.Settings, &settings) // of settings that cannot be read, the state's error tells
		row := exchangeRow{Exchange: e, Every: settings.Every, Age: age(e.State.FetchedAt, time.Now())}
		for _, reason := range slices.Sorted(maps.Keys(e.State.Refused)) {
			n := e.State.Refused[reason]
			row.Refused += n
			page.Refused = append(page.Refused, refusedRow{e.Name, reason, n})
		}
		page.Exchanges = append(page.Exchanges, row)
	}
	return v, nil
}

// age says how long ago a time was, in its largest unit.
func age(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	gone := now.Sub(*at)
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if gone >= unit.length {
			return fmt.Sprintf("%d %s ago", gone/unit.length, unit.name)
		}
	}
	return "just now"
}
