package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Verdict is what is to be done with an upload.
type Verdict string

// The three verdicts; a decision's subject is decisions.<verdict>.
const (
	Allow  Verdict = "allow"
	Review Verdict = "review"
	Block  Verdict = "block"
)

// Reason is why; the event, the log and the metrics use the same words.
type Reason string

// The reasons of a verdict. Undecodable to RetriesExhausted are decided Review: they could not be judged.
const (
	Match            Reason = "match"
	NoMatch          Reason = "no_match"
	Undecodable      Reason = "undecodable"
	Unsupported      Reason = "unsupported"
	TooLarge         Reason = "too_large"
	FetchFailed      Reason = "fetch_failed"
	RetriesExhausted Reason = "retries_exhausted"
	// AllowListed and LowDetail are decided Allow: flags that are near do not count.
	AllowListed Reason = "allow_listed"
	LowDetail   Reason = "low_detail"
	// Lookback is a match with a flag that came after the upload was decided.
	Lookback Reason = "lookback"
	// Reviewed is a person's decision on what was decided Review.
	Reviewed Reason = "reviewed"
)

// Signal says what found a match.
type Signal string

// The signals, the surest first: the very same file, PDQ's hash, points of interest in one arrangement, the model's score.
const (
	SignalExact     Signal = "sha256"
	SignalPDQ       Signal = "pdq"
	SignalKeypoints Signal = "keypoints"
	SignalEmbedding Signal = "embedding"
)

// DecisionType is the CloudEvents type of a decision.
const DecisionType = "moderation.decision.v1"

// Decision is the data of a decision event.
type Decision struct {
	Verdict    Verdict      `json:"verdict"`
	Reason     Reason       `json:"reason"`
	Detail     string       `json:"detail,omitempty"` // for people: what went wrong, when it could not be judged
	Similarity *float64     `json:"similarity,omitempty"`
	Score      *float64     `json:"score,omitempty"`
	Threshold  *float64     `json:"threshold,omitempty"`
	Signal     Signal       `json:"signal,omitempty"`
	Match      *MatchInfo   `json:"match,omitempty"`
	Matches    []MatchInfo  `json:"matches"` // every bank whose threshold was reached, best first
	Allowed    *AllowedInfo `json:"allowed,omitempty"`
	Review     *ReviewInfo  `json:"review,omitempty"`
	Upload     UploadInfo   `json:"upload"`
	Model      ModelInfo    `json:"model"`
	Timing     Milliseconds `json:"timing_ms"`
}

// MatchInfo is one flagged picture that the upload is near.
type MatchInfo struct {
	FlaggedID  string  `json:"flagged_id"`
	Bank       string  `json:"bank"`
	View       string  `json:"view"`
	Similarity float64 `json:"similarity"` // cosine
	Score      float64 `json:"score"`      // what thresholds apply to
}

// AllowedInfo is the picture of the allow-list that the upload is nearer to than to Match, by the same signal.
type AllowedInfo struct {
	AllowedID  string  `json:"allowed_id"`
	View       string  `json:"view"`
	Similarity float64 `json:"similarity"`
	Score      float64 `json:"score"`
}

// ReviewInfo says which decision a person decided anew. The other fields of a reviewed decision are that one's.
type ReviewInfo struct {
	By     string    `json:"by"`
	Of     string    `json:"of"` // the event's id
	At     time.Time `json:"at"` // the event's time
	Reason Reason    `json:"reason"`
}

// UploadInfo repeats what was judged. Where a reference pointed to is said where somebody has to look: in a decision that
// is Review, or Block, which may be appealed against.
type UploadInfo struct {
	ID         string                     `json:"id"`
	Subject    string                     `json:"subject"`
	Stream     string                     `json:"stream"`
	Sequence   uint64                     `json:"sequence"`
	Stored     time.Time                  `json:"stored,omitzero"` // when the stream stored the message; zero in decisions of older versions
	SHA256     string                     `json:"sha256,omitempty"`
	Format     string                     `json:"format,omitempty"`
	Width      int                        `json:"width,omitempty"`
	Height     int                        `json:"height,omitempty"`
	Bytes      int                        `json:"bytes"`
	URL        string                     `json:"url,omitempty"`
	Object     *Object                    `json:"object,omitempty"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	// AttributesOmitted says that the decision would have been too large for the server with them.
	AttributesOmitted bool `json:"attributes_omitted,omitempty"`
}

// Key names the upload's message, "<stream>:<sequence>:<stored>", with the time at which the stream stored it in
// nanoseconds since 1970. It stays the same over redeliveries. The sequence alone names no message: a stream that is made
// anew, or put back to an earlier copy, gives its numbers again. Without Stored it is "<stream>:<sequence>", as older
// versions named their decisions.
func (u UploadInfo) Key() string {
	if u.Stored.IsZero() {
		return place(u.Stream, u.Sequence)
	}
	return place(u.Stream, u.Sequence) + ":" + strconv.FormatInt(u.Stored.UnixNano(), 10)
}

// StoredNanos is Stored in nanoseconds since 1970, 0 where it is zero.
func (u UploadInfo) StoredNanos() int64 {
	if u.Stored.IsZero() {
		return 0
	}
	return u.Stored.UnixNano()
}

// OmitAttributes leaves the attributes out and says so; false where there are none.
func (u *UploadInfo) OmitAttributes() bool {
	if len(u.Attributes) == 0 {
		return false
	}
	u.Attributes, u.AttributesOmitted = map[string]json.RawMessage{}, true
	return true
}

func place(stream string, sequence uint64) string {
	return stream + ":" + strconv.FormatUint(sequence, 10)
}

// maxURLBytes of a URL are kept, which is what browsers and caches take.
const maxURLBytes = 8192

// ModelInfo names the model whose vectors were compared.
type ModelInfo struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// Milliseconds is where an upload's time went. Queue is from the stream's timestamp to the first look at it.
type Milliseconds struct {
	Queue  float64 `json:"queue"`
	Fetch  float64 `json:"fetch"`
	Decode float64 `json:"decode"`
	Embed  float64 `json:"embed"`
	Match  float64 `json:"match"`
	Total  float64 `json:"total"`
}

// CloudEvent is the envelope of a decision, in the order in which it is written.
type CloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	Type            string    `json:"type"`
	Source          string    `json:"source"`
	ID              string    `json:"id"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Decision  `json:"data"`
}

// NewUploadInfo copies what is known of an upload from its message.
func NewUploadInfo(u Upload) UploadInfo {
	attributes := u.Attributes
	if attributes == nil {
		attributes = map[string]json.RawMessage{}
	}
	info := UploadInfo{
		ID: u.ID, Subject: u.Subject, Stream: u.Stream, Sequence: u.Sequence, Stored: u.Published.UTC(),
		Bytes: len(u.Body), Object: u.Object, Attributes: attributes,
	}
	if len(u.URL) <= maxURLBytes {
		info.URL = u.URL
	}
	return info
}

// Encode writes the decision as a structured-mode CloudEvent. Its id is the upload's key, so that the stream takes
// the decision of a redelivered upload once; one of a look-back has ":lookback:" and the flag's id behind it, and a
// reviewed one's is that of the decision that was reviewed, with ":reviewed" behind it.
func (d Decision) Encode(now time.Time) (id string, data []byte, err error) {
	id = d.Upload.Key()
	if d.Review != nil {
		id = d.Review.Of + ":reviewed"
	}
	if d.Reason == Lookback {
		id += ":lookback:" + d.Match.FlaggedID
	}
	if d.Verdict == Allow {
		d.Upload.URL, d.Upload.Object = "", nil
	}
	if d.Matches == nil {
		d.Matches = []MatchInfo{}
	}
	data, err = json.Marshal(CloudEvent{
		SpecVersion: "1.0", Type: DecisionType, Source: "/moderator", ID: id, Subject: d.Upload.ID,
		Time: now.UTC(), DataContentType: "application/json", Data: d,
	})
	if err != nil {
		return "", nil, fmt.Errorf("encode decision of %s: %w", id, err)
	}
	return id, data, nil
}

// DecodeDecision reads a decision event.
func DecodeDecision(data []byte) (CloudEvent, error) {
	var e CloudEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("decode decision: %w", err)
	}
	if e.SpecVersion != "1.0" || e.Type != DecisionType {
		return e, fmt.Errorf("decode decision: specversion %q and type %q, wanted 1.0 and %s", e.SpecVersion, e.Type, DecisionType)
	}
	return e, nil
}
