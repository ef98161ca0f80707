package console

import (
	"encoding/json"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// row is a decision on the Live page.
type row struct {
	Sequence uint64        `json:"seq"`  // in DECISIONS
	Time     int64         `json:"time"` // when the stream stored it, in milliseconds since 1970
	Verdict  event.Verdict `json:"verdict"`
	Reason   event.Reason  `json:"reason"`
	Bank     string        `json:"bank,omitempty"`
	Signal   event.Signal  `json:"signal,omitempty"`
	Score    *float64      `json:"score,omitempty"`
	Upload   string        `json:"upload"`
	Took     float64       `json:"took"` // milliseconds from the stream of uploads to the decision

	shown json.RawMessage // the row's JSON, encoded once for all watchers
}

// maxUploadShown bounds the shown bytes of an upload's id.
const maxUploadShown = 80

// newRow parses a message of DECISIONS. ok is false if it is not a decision.
func newRow(msg jetstream.Msg) (r row, ok bool) {
	meta, err := msg.Metadata()
	if err != nil {
		return r, false
	}
	e, err := event.DecodeDecision(msg.Data())
	if err != nil {
		return r, false
	}
	r = rowOf(meta, e.Data)
	r.shown, err = json.Marshal(r)
	return r, err == nil
}

func rowOf(meta *jetstream.MsgMetadata, d event.Decision) row {
	r := row{
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp.UnixMilli(), Verdict: d.Verdict, Reason: d.Reason,
		Signal: d.Signal, Score: d.Score, Upload: cut(d.Upload.ID, maxUploadShown), Took: d.Timing.Queue + d.Timing.Total,
	}
	if d.Match != nil {
		r.Bank = d.Match.Bank
	}
	return r
}

// cut shortens a text to at most most bytes, without splitting a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xC0 == 0x80 {
		most--
	}
	return text[:most] + "…"
}

// kind returns the properties by which rows are filtered.
func (r *row) kind() filter { return filter{r.Verdict, r.Reason, r.Bank} }

// filter selects decisions. Empty fields match all.
type filter struct {
	verdict event.Verdict
	reason  event.Reason
	bank    string
}

func (f filter) passes(kind filter) bool {
	return (f.verdict == "" || f.verdict == kind.verdict) && (f.reason == "" || f.reason == kind.reason) && (f.bank == "" || f.bank == kind.bank)
}
