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
	Feedback  int64             `json:"feedback_waiting"`
	Refused   map[string]int64  `json:"refused"` // since the last whole fetch began, by reason
}

func exchangeToJSON(e matchdb.Exchange) (exchangeJSON, error) {
	s := e.State
	x := exchangeJSON{
		Name: e.Name, Programme: e.Programme, Bank: e.Bank, Enabled: e.Enabled, State: e.Status(),
		StartedAt: s.StartedAt, FetchedAt: s.FetchedAt, Error: s.Error, Hashes: s.Hashes, Feedback: s.FeedbackWaiting, Refused: s.Refused,
	}
	if err := json.Unmarshal(e.Settings, &x.Settings); err != nil {
		return x, fmt.Errorf("exchange %s: its settings cannot be read: %w", e.Name, err)
	}
	return x, nil
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
