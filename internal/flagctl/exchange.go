package flagctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"moderator/internal/config"
	"moderator/internal/exchange"
	"moderator/internal/matchdb"
)

type exchangeVerbs struct {
	Add     exchangeAdd     `cmd:"" help:"Add an exchange: a hash-sharing programme, a list, or a homeserver's quarantine, that is fetched into a bank."`
	List    exchangeList    `cmd:"" help:"List the exchanges."`
	Show    exchangeShow    `cmd:"" help:"Show the settings and the state of an exchange."`
	Status  exchangeStatus  `cmd:"" help:"Show how far the exchanges are fetched."`
	Sync    exchangeSync    `cmd:"" help:"Fetch an exchange now."`
	Disable exchangeDisable `cmd:"" help:"Disable an exchange: it is not fetched any more, and its flags stay."`
	Enable  exchangeEnable  `cmd:"" help:"Enable an exchange."`
	Remove  exchangeRemove  `cmd:"" help:"Remove an exchange, and forget its flags."`
}

type exchangeAdd struct {
	because
	Name           string        `arg:"" help:"Name of the exchange: a-z, 0-9 and -."`
	Programme      string        `required:"" enum:"ncmec,stopncii,threatexchange,tcap,list,synapse" help:"Kind of source: ${enum}." placeholder:"KIND"`
	Bank           string        `required:"" help:"Bank for its flags. Give each exchange a bank of its own." placeholder:"NAME"`
	URL            string        `name:"url" help:"Root of its API, if not the programme's own; of a list the URL, or the path of a file that moderators read." placeholder:"URL"`
	Every          time.Duration `help:"Time between two fetches." default:"1h"`
	Group          string        `help:"Number of ThreatExchange's privacy group." placeholder:"ID"`
	Type           string        `help:"Type of a list's hashes of 64 digits: ${enum}." enum:"unknown,pdq,sha256" default:"unknown"`
	Members        []string      `name:"member" help:"Take only the entries of this member of NCMEC, by its id." placeholder:"ID"`
	Classes        []string      `name:"class" help:"Take only entries of this class: NCMEC's A1 to B2, TCAP's islamist or far-right." placeholder:"CLASS"`
	Confirmations  int           `help:"How many members have to confirm an entry. Others, and those that members dispute, go to --review-bank, or are not taken without one." default:"0"`
	ReviewBank     string        `help:"Bank for entries that are disputed or not confirmed." placeholder:"NAME"`
	Feedback       bool          `help:"Tell NCMEC, StopNCII or ThreatExchange what reviewers decide on matches."`
	FeedbackSeen   bool          `help:"Tell StopNCII or ThreatExchange also which entries uploads match, before anybody reviews them."`
	FeedbackReason string        `help:"GUID of NCMEC's reason for false positives." placeholder:"GUID"`
}

func (e *exchangeAdd) Run(ctx context.Context, c *cli) error {
	s := exchange.Settings{
		URL: e.URL, Every: e.Every.String(), Group: e.Group, Members: e.Members, Classes: e.Classes,
		Confirmations: e.Confirmations, ReviewBank: e.ReviewBank, Feedback: e.Feedback, FeedbackSeen: e.FeedbackSeen, FeedbackReason: e.FeedbackReason,
	}
	if e.Type != "unknown" {
		s.Type = e.Type
	}
	if err := s.Check(e.Programme); err != nil {
		return err
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return c.changeExchange(ctx, e.Name, "added", func(db *matchdb.DB) error {
		if e.ReviewBank != "" {
			if _, err := db.Bank(ctx, e.ReviewBank); err != nil {
				return err
			}
		}
		return db.AddExchange(ctx, matchdb.Exchange{Name: e.Name, Programme: e.Programme, Bank: e.Bank, Settings: settings}, c.As, e.Reason)
	})
}

// changeExchange makes one change and prints it.
func (c *cli) changeExchange(ctx context.Context, name, done string, change func(*matchdb.DB) error) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := change(db); err != nil {
		return err
	}
	return c.print(map[string]string{"exchange": name, "status": done}, "", [][]string{{done, name}})
}

type exchangeDisable struct {
	because
	Name string `arg:"" help:"Name of the exchange."`
}

func (e *exchangeDisable) Run(ctx context.Context, c *cli) error {
	return c.changeExchange(ctx, e.Name, "disabled", func(db *matchdb.DB) error { return db.SwitchExchange(ctx, e.Name, false, c.As, e.Reason) })
}

type exchangeEnable struct {
	because
	Name string `arg:"" help:"Name of the exchange."`
}

func (e *exchangeEnable) Run(ctx context.Context, c *cli) error {
	return c.changeExchange(ctx, e.Name, "enabled", func(db *matchdb.DB) error { return db.SwitchExchange(ctx, e.Name, true, c.As, e.Reason) })
}

type exchangeRemove struct {
	because
	Name string `arg:"" help:"Name of the exchange."`
}

func (e *exchangeRemove) Run(ctx context.Context, c *cli) error {
	return c.changeExchange(ctx, e.Name, "removed", func(db *matchdb.DB) error {
		forgotten, err := db.RemoveExchange(ctx, e.Name, c.As, e.Reason)
		if err == nil {
			fmt.Fprintf(c.stderr, "%s forgotten\n", plural(forgotten, "flag"))
		}
		return err
	})
}

type exchangeSync struct {
	config.Exchanges
	FetchAllowCIDRs []string `name:"fetch-allow-cidr" help:"Private network that sources may be in." placeholder:"CIDR"`
	Anew            bool     `help:"Fetch all anew, and drop what does not come again."`
	Name            string   `arg:"" help:"Name of the exchange."`
}

// fetchedJSON is the JSON output of sync.
type fetchedJSON struct {
	Exchange  string `json:"exchange"`
	Whole     bool   `json:"whole"`
	Entries   int    `json:"entries"`
	Stored    int    `json:"stored"`
	Removed   int    `json:"removed"`
	Forgotten int    `json:"forgotten"`
	Refused   int    `json:"refused"`
}

func (e *exchangeSync) Run(ctx context.Context, c *cli) error {
	var allow []netip.Prefix
	for _, text := range e.FetchAllowCIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("fetch-allow-cidr is %q, wanted a network such as 10.1.0.0/16", text)
		}
		allow = append(allow, prefix)
	}
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	fetcher := exchange.Fetcher{DB: db, Credentials: e.ExchangeCredentials, Allow: allow, Logger: slog.New(slog.NewTextHandler(c.stderr, nil))}
	done, err := fetcher.Fetch(ctx, e.Name, e.Anew)
	if errors.Is(err, matchdb.ErrBusy) {
		return fmt.Errorf("%w: `flagctl exchange status` shows it", err)
	}
	if err != nil {
		return err
	}
	r := fetchedJSON{e.Name, done.Whole, done.Entries, done.Stored, done.Removed, done.Forgotten, done.Refused}
	return c.print(r, "", [][]string{
		{"entries", fmt.Sprint(r.Entries)},
		{"hashes stored", fmt.Sprint(r.Stored)},
		{"hashes removed", fmt.Sprint(r.Removed)},
		{"flags forgotten", fmt.Sprint(r.Forgotten)},
		{"refused", fmt.Sprint(r.Refused)},
	})
}

type exchangeList struct{}

func (exchangeList) Run(ctx context.Context, c *cli) error {
	return c.printExchanges(ctx, "EXCHANGE\tPROGRAMME\tBANK\tENABLED\tEVERY\tURL", func(e exchangeJSON) []string {
		return []string{e.Name, e.Programme, e.Bank, fmt.Sprint(e.Enabled), e.Settings.Every, e.Settings.URL}
	})
}

type exchangeStatus struct{}

func (exchangeStatus) Run(ctx context.Context, c *cli) error {
	return c.printExchanges(ctx, "EXCHANGE\tSTATE\tFETCHED\tHASHES\tREFUSED\tERROR", func(e exchangeJSON) []string {
		var refused int64
		for _, n := range e.Refused {
			refused += n
		}
		return []string{e.Name, e.State, momentOrNever(e.FetchedAt), fmt.Sprint(e.Hashes), fmt.Sprint(refused), e.Error}
	})
}

type exchangeShow struct {
	Name string `arg:"" help:"Name of the exchange."`
}

func (e *exchangeShow) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := db.Exchange(ctx, e.Name)
	if err != nil {
		return err
	}
	x, err := exchangeToJSON(found)
	if err != nil {
		return err
	}
	rows := [][]string{
		{"exchange", x.Name},
		{"programme", x.Programme},
		{"bank", x.Bank},
		{"url", x.Settings.URL},
		{"every", x.Settings.Every},
		{"state", x.State},
		{"started", momentOrNever(x.StartedAt)},
		{"fetched", momentOrNever(x.FetchedAt)},
		{"hashes", fmt.Sprint(x.Hashes)},
	}
	for name, values := range map[string][]string{"members": x.Settings.Members, "classes": x.Settings.Classes} {
		if len(values) > 0 {
			rows = append(rows, []string{name, strings.Join(values, ", ")})
		}
	}
	if x.Settings.Group != "" {
		rows = append(rows, []string{"group", x.Settings.Group})
	}
	if x.Settings.Confirmations > 0 || x.Settings.ReviewBank != "" {
		rows = append(rows, []string{"confirmations", fmt.Sprint(x.Settings.Confirmations)}, []string{"review bank", x.Settings.ReviewBank})
	}
	if x.Error != "" {
		rows = append(rows, []string{"error", x.Error})
	}
	for reason, n := range x.Refused {
		rows = append(rows, []string{"refused", fmt.Sprintf("%d: %s", n, reason)})
	}
	slices.SortStableFunc(rows[9:], slices.Compare)
	return c.print(x, "", rows)
}
