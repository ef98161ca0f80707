package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// decision is one event with its flag and review from the library.
type decision struct {
	Sequence uint64 // in DECISIONS
	Stored   time.Time
	Event    event.CloudEvent
	Raw      string // the event, indented

	Attributes []attribute
	Flag       *matchdb.Flagged // of the match; nil if there is no match or the flag was deleted
	Review     *matchdb.Review  // a person's decision on it; of a decision with the reason reviewed, the review itself
	Times      []timing
	May        bool           // the user may review
	Curate     bool           // the user may change the library
	Banks      []matchdb.Bank // to flag in; with Curate only
	Shown      bool           // the picture may be had, from its source or as a preview
	Source     string         // of the picture; empty if it came inside its message, which is not kept
}

type attribute struct{ Name, Value string }

type timing struct {
	Stage string
	MS    float64
}

func (d *decision) key() matchdb.DecisionKey { return matchdb.NewDecisionKey(d.Event.ID, d.Event.Time) }

func newDecision(sequence uint64, stored time.Time, data []byte) (*decision, error) {
	e, err := event.DecodeDecision(data)
	if err != nil {
		return nil, &problem{http.StatusNotFound, fmt.Sprintf("Message %d of %s is not a decision: %v.", sequence, event.DecisionsStream, err)}
	}
	d := &decision{Sequence: sequence, Stored: stored, Event: e}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err == nil {
		d.Raw = indented.String()
	}
	for _, name := range slices.Sorted(maps.Keys(e.Data.Upload.Attributes)) {
		d.Attributes = append(d.Attributes, attribute{name, plain(e.Data.Upload.Attributes[name])})
	}
	t := e.Data.Timing
	d.Times = []timing{{"queue", t.Queue}, {"fetch", t.Fetch}, {"decode", t.Decode}, {"embed", t.Embed}, {"match", t.Match}}
	switch u := e.Data.Upload; {
	case u.URL != "":
		d.Source = u.URL
	case u.Object != nil:
		d.Source = u.Object.Bucket + "/" + u.Object.Name
	}
	return d, nil
}

// plain returns a JSON value for people: a string without quotes, other values as JSON.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// Longest returns the longest of Times in milliseconds, for the width of the bars.
func (d *decision) Longest() float64 {
	longest := 0.0
	for _, t := range d.Times {
		longest = max(longest, t.MS)
	}
	return longest
}

// load reads the decision with a sequence number of DECISIONS. Its errors are for people.
func (c *Console) load(ctx context.Context, sequence string) (*decision, error) {
	n, err := strconv.ParseUint(sequence, 10, 64)
	if err != nil || n == 0 {
		return nil, &problem{http.StatusNotFound, "The address needs a decision's number in the stream."}
	}
	stream, err := c.JetStream.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return nil, streamProblem(err)
	}
	msg, err := stream.GetMsg(ctx, n)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, &problem{http.StatusNotFound, fmt.Sprintf("The stream does not have decision %d, or no longer has it: --keep-decisions sets how long decisions are kept.", n)}
	}
	if err != nil {
		return nil, streamProblem(err)
	}
	d, err := newDecision(n, msg.Time, msg.Data)
	if err != nil {
		return nil, err
	}
	d.Shown = d.Source != "" || c.Previews != nil && d.Event.Data.Verdict == event.Review
	return d, c.lookUp(ctx, d)
}

// lookUp adds the decision's flag and review.
func (c *Console) lookUp(ctx context.Context, d *decision) error {
	key := d.key()
	if r := d.Event.Data.Review; r != nil && d.Event.Data.Reason == event.Reviewed {
		key = matchdb.NewDecisionKey(r.Of, r.At)
	}
	reviews, err := c.Library.Reviews(ctx, []matchdb.DecisionKey{key})
	if err != nil {
		return err
	}
	if review, ok := reviews[key]; ok {
		d.Review = &review
	}
	if d.Event.Data.Match == nil {
		return nil
	}
	flag, err := c.Library.Show(ctx, d.Event.Data.Match.FlaggedID)
	if errors.Is(err, matchdb.ErrNotFound) {
		return nil
	}
	d.Flag = &flag
	return err
}

func streamProblem(err error) error {
	return &problem{http.StatusServiceUnavailable, fmt.Sprintf("The stream of decisions cannot be read: %v.", err)}
}

func (c *Console) decisionPage(r *http.Request) (view, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return view{}, err
	}
	if d.May, err = c.may(r, Reviewer); err != nil {
		return view{}, err
	}
	if d.Curate, err = c.may(r, Curator); err != nil {
		return view{}, err
	}
	if d.Curate {
		if d.Banks, err = c.Library.Banks(r.Context(), c.Model); err != nil {
			return view{}, err
		}
	}
	return view{Page: "decision", Title: "Decision on " + cut(d.Event.Data.Upload.ID, maxUploadShown), Data: d}, nil
}
