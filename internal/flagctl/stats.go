package flagctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/app"
	"moderator/internal/consumer"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

type statsCommand struct {
	Since     time.Duration `help:"How far back to look at decisions and days; decisions are kept for --keep-decisions." default:"168h"`
	Unmatched int           `help:"Also list so many flags that no upload has matched since, the oldest first." placeholder:"N"`
}

// counted is the answer of stats.
type counted struct {
	Since     time.Time     `json:"since"`
	Uploads   *traffic      `json:"uploads"` // null: there is no stream of decisions
	Banks     []bankCounted `json:"banks"`
	Models    []modelCount  `json:"models"`
	Growth    []grown       `json:"growth"`
	Unmatched []flagJSON    `json:"unmatched,omitempty"`
}

// traffic is the decisions since then, by verdict.
type traffic struct {
	Allowed  uint64 `json:"allowed"`
	Blocked  uint64 `json:"blocked"`
	Reviewed uint64 `json:"reviewed"`

	banks   map[string]*bankTraffic
	matched map[uuid.UUID]bool
}

// bankTraffic is the decisions that name a flag of the bank.
type bankTraffic struct{ blocked, reviewed int }

type bankCounted struct {
	Bank      string `json:"bank"`
	Enabled   bool   `json:"enabled"`
	Flags     int    `json:"flags"`
	Retracted int    `json:"retracted"`
	LastDay   int    `json:"last_day"`
	LastWeek  int    `json:"last_week"`
	Blocked   int    `json:"blocked"`
	Reviewed  int    `json:"reviewed"`
	Unmatched int    `json:"unmatched"`
}

type modelCount struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Embeddings  int    `json:"embeddings"`
}

type grown struct {
	Day       string `json:"day"`
	Flagged   int    `json:"flagged"`
	Retracted int    `json:"retracted"`
}

func (s *statsCommand) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	out := counted{Since: time.Now().Add(-s.Since).UTC().Truncate(time.Second)}
	if out.Uploads, err = c.traffic(ctx, out.Since); err != nil {
		return err
	}
	var matched []uuid.UUID
	if out.Uploads != nil {
		for id := range out.Uploads.matched {
			matched = append(matched, id)
		}
	}
	if err := s.count(ctx, db, &out, matched); err != nil {
		return err
	}
	return out.report(c)
}

// count asks the library.
func (s *statsCommand) count(ctx context.Context, db *matchdb.DB, out *counted, matched []uuid.UUID) error {
	banks, err := db.BankStats(ctx, matched)
	if err != nil {
		return err
	}
	for _, b := range banks {
		row := bankCounted{b.Name, b.Enabled, b.Flags, b.Retracted, b.LastDay, b.LastWeek, 0, 0, b.Unmatched}
		if out.Uploads != nil && out.Uploads.banks[b.Name] != nil {
			row.Blocked, row.Reviewed = out.Uploads.banks[b.Name].blocked, out.Uploads.banks[b.Name].reviewed
		}
		out.Banks = append(out.Banks, row)
	}
	all, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	for _, m := range all.Models {
		out.Models = append(out.Models, modelCount(m))
	}
	days, err := db.Growth(ctx, out.Since)
	if err != nil {
		return err
	}
	for _, d := range days {
		out.Growth = append(out.Growth, grown{d.Day.Format(time.DateOnly), d.Flagged, d.Retracted})
	}
	if s.Unmatched > 0 {
		flags, err := db.Unmatched(ctx, matched, s.Unmatched)
		if err != nil {
			return err
		}
		out.Unmatched = allToJSON(flags)
	}
	return nil
}

func (out *counted) report(c *cli) error {
	rows := make([][]string, len(out.Banks))
	for i, b := range out.Banks {
		state := "enabled"
		if !b.Enabled {
			state = "disabled"
		}
		rows[i] = []string{b.Bank, state}
		for _, n := range []int{b.Flags, b.Retracted, b.LastDay, b.LastWeek, b.Blocked, b.Reviewed, b.Unmatched} {
			rows[i] = append(rows[i], strconv.Itoa(n))
		}
	}
	if err := c.print(out, "BANK\tSTATE\tFLAGS\tRETRACTED\tLAST DAY\tLAST WEEK\tBLOCKED\tREVIEWED\tUNMATCHED", rows); err != nil || c.Output == "json" {
		return err
	}
	since := "since " + moment(out.Since)
	if u := out.Uploads; u != nil {
		fmt.Fprintf(c.stdout, "\nuploads %s: %d allowed, %d blocked, %d to review\n\n", since, u.Allowed, u.Blocked, u.Reviewed)
	} else {
		fmt.Fprintf(c.stdout, "\nno decisions to count: the stream %s is missing, or there is no --nats-url\n\n", consumer.DecisionsStream)
	}
	var models, days, flags [][]string
	for _, m := range out.Models {
		models = append(models, []string{m.Name, m.Fingerprint[:12], strconv.Itoa(m.Embeddings)})
	}
	for _, d := range out.Growth {
		days = append(days, []string{d.Day, strconv.Itoa(d.Flagged), strconv.Itoa(d.Retracted)})
	}
	for _, f := range out.Unmatched {
		flags = append(flags, []string{f.ID, f.Bank, moment(f.FlaggedAt), f.Source})
	}
	err := errors.Join(c.print(nil, "MODEL\tFINGERPRINT\tEMBEDDINGS", models), c.after("DAY\tFLAGGED\tRETRACTED", days),
		c.after("UNMATCHED\tBANK\tFLAGGED\tSOURCE", flags))
	return err
}

// after prints a further table below an empty line, where it has rows.
func (c *cli) after(header string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(c.stdout)
	return c.print(nil, header, rows)
}

// traffic reads the decisions since then; nil where there are none to read. Allowed uploads are counted by the server.
func (c *cli) traffic(ctx context.Context, since time.Time) (*traffic, error) {
	url, err := app.NATSURL(c.Stack)
	if err != nil { // a library without the moderators
		return nil, nil
	}
	nc, err := app.ConnectNATS(url, c.NATSCreds, "flagctl stats", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, consumer.DecisionsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", consumer.DecisionsStream, err)
	}
	read := func(verdicts ...event.Verdict) (jetstream.Consumer, uint64, error) {
		cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}
		for _, v := range verdicts {
			cfg.FilterSubjects = append(cfg.FilterSubjects, "decisions."+string(v))
		}
		reader, err := stream.OrderedConsumer(ctx, cfg)
		if err != nil {
			return nil, 0, err
		}
		info, err := reader.Info(ctx)
		if err != nil {
			return nil, 0, err
		}
		return reader, info.NumPending, nil
	}
	t := &traffic{banks: map[string]*bankTraffic{}, matched: map[uuid.UUID]bool{}}
	if _, t.Allowed, err = read(event.Allow); err != nil {
		return nil, fmt.Errorf("stream %s: %w", consumer.DecisionsStream, err)
	}
	reader, pending, err := read(event.Block, event.Review)
	if err == nil && pending > 0 {
		err = t.read(ctx, reader)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", consumer.DecisionsStream, err)
	}
	return t, nil
}

// read counts the decisions up to the last one that is there.
func (t *traffic) read(ctx context.Context, reader jetstream.Consumer) error {
	messages, err := reader.Messages(jetstream.PullMaxMessagesWithBytesLimit(500, 8<<20))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if e, err := event.DecodeDecision(msg.Data()); err == nil { // else somebody else's message
			t.add(e.Data)
		}
		meta, err := msg.Metadata()
		if err != nil || meta.NumPending == 0 {
			return err
		}
	}
}

func (t *traffic) add(d event.Decision) {
	if d.Verdict == event.Block {
		t.Blocked++
	} else {
		t.Reviewed++
	}
	for _, m := range d.Matches {
		b := t.banks[m.Bank]
		if b == nil {
			b = &bankTraffic{}
			t.banks[m.Bank] = b
		}
		if d.Verdict == event.Block {
			b.blocked++
		} else {
			b.reviewed++
		}
		if id, err := uuid.Parse(m.FlaggedID); err == nil {
			t.matched[id] = true
		}
	}
}
