package flagctl

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"moderator/internal/exchange"
	"moderator/internal/matchdb"
)

// exchangeJSON is the JSON output of exchange list, status and show.
type exchangeJSON struct {
	Name      string            `json:"exchange"`
	Programme string            `json:"programme"`
	Bank      string            `json:"bank"`
	Enabled   bool              `json:"enabled"`
	Settings  exchange.Settings `json:"settings"`
	State     string            `json:"state"` // new, running, complete, interrupted, failed or disabled
	StartedAt *time.Time        `json:"started_at"`
	FetchedAt *time.Time        `json:"fetched_at"` // when a fetch last reached the source's end
	Error     string            `json:"error,omitempty"`
	Hashes    int64             `json:"hashes"`
	Refused   map[string]int64  `json:"refused"` // since the last whole fetch began, by reason
}

func exchangeToJSON(e matchdb.Exchange) (exchangeJSON, error) {
	s := e.State
	x := exchangeJSON{
		Name: e.Name, Programme: e.Programme, Bank: e.Bank, Enabled: e.Enabled, State: exchangeState(e),
		StartedAt: s.StartedAt, FetchedAt: s.FetchedAt, Error: s.Error, Hashes: s.Hashes, Refused: s.Refused,
	}
	if err := json.Unmarshal(e.Settings, &x.Settings); err != nil {
		return x, fmt.Errorf("exchange %s: its settings cannot be read: %w", e.Name, err)
	}
	return x, nil
}

// exchangeState tells a fetch that reached its source's end from one that runs, failed or was interrupted.
func exchangeState(e matchdb.Exchange) string {
	s := e.State
	switch {
	case s.Running:
		return "running"
	case !e.Enabled:
		return "disabled"
	case s.FailedAt != nil:
		return "failed"
	case s.StartedAt == nil:
		return "new"
	case s.FetchedAt == nil || s.FetchedAt.Before(*s.StartedAt):
		return "interrupted"
	}
	return "complete"
}

// printExchanges prints all exchanges, with a row for each.
func (c *cli) printExchanges(ctx context.Context, header string, row func(exchangeJSON) []string) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Exchanges(ctx)
	if err != nil {
		return err
	}
	values, rows := make([]exchangeJSON, len(all)), make([][]string, len(all))
	for i, e := range all {
		if values[i], err = exchangeToJSON(e); err != nil {
			return err
		}
		rows[i] = row(values[i])
	}
	return c.print(values, header, rows)
}

func momentOrNever(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return moment(*t)
}
