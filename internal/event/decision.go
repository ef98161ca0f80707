package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Verdict is the result of judging an upload.
type Verdict string

// The three verdicts; a decision's subject is decisions.<verdict>.
const (
	Allow  Verdict = "allow"
	Review Verdict = "review"
	Block  Verdict = "block"
)

// Reason is why an upload got its verdict. Events, log lines and metrics use the same values.
type Reason string

// The reasons. From Undecodable to RetriesExhausted the upload could not be judged and is decided Review.
const (
	Match            Reason = "match"
	NoMatch          Reason = "no_match"
	Undecodable      Reason = "undecodable"
	Unsupported      Reason = "unsupported"
	TooLarge         Reason = "too_large"
	FetchFailed      Reason = "fetch_failed"
	RetriesExhausted Reason = "retries_exhausted"
	// AllowListed and LowDetail are decided Allow, although flags are above their thresholds.
	AllowListed Reason = "allow_listed"
	LowDetail   Reason = "low_detail"
	// Lookback is a match with a flag that was added after the upload was decided.
	Lookback Reason = "lookback"
	// Reviewed is a person's decision on an upload that was decided Review. TakenBack, decided Review, says that it no longer holds.
	Reviewed  Reason = "reviewed"
	TakenBack Reason = "taken_back"
)

// CouldNotJudge reports whether the upload could not be judged.
func (r Reason) CouldNotJudge() bool {
	switch r {
	case Undecodable, Unsupported, TooLarge, FetchFailed, RetriesExhausted:
		return true
	}
	return false
}

// Signal names how a match was found.
type Signal string

// The signals in their precedence: equal files, PDQ hashes, keypoints in the same geometry, the model's score.
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
	Detail     string       `json:"detail,omitempty"` // for people: why the upload could not be judged
	Similarity *float64     `json:"similarity,omitempty"`
	Score      *float64     `json:"score,omitempty"`
	Threshold  *float64     `json:"threshold,omitempty"`
	Signal     Signal       `json:"signal,omitempty"`
	Match      *MatchInfo   `json:"match,omitempty"`
	Matches    []MatchInfo  `json:"matches"`          // one for each bank whose threshold was reached, best first
	Shadow     []ShadowInfo `json:"shadow,omitempty"` // one for each bank in shadow whose threshold was reached, best first
	Allowed    *AllowedInfo `json:"allowed,omitempty"`
	Review     *ReviewInfo  `json:"review,omitempty"`
	Upload     UploadInfo   `json:"upload"`
	Model      ModelInfo    `json:"model"`
	Timing     Milliseconds `json:"timing_ms"`
}

// MatchInfo is a flag at or above a threshold of its bank.
type MatchInfo struct {
	FlaggedID  string  `json:"flagged_id"`
	Bank       string  `json:"bank"`
	View       string  `json:"view"`
	Similarity float64 `json:"similarity"` // cosine
	Score      float64 `json:"score"`      // what thresholds apply to where there is no probability

	// Probability that the upload shows the flag, given the evidence: what the thresholds of a match apply to that has one.
	Probability *float64     `json:"probability,omitempty"`
	Evidence    EvidenceInfo `json:"evidence,omitzero"`
	Differs     DiffersInfo  `json:"differs,omitzero"`

	// Quarantined is true while the flag asks for review at most, as it suddenly blocked very many uploads.
	Quarantined bool `json:"quarantined,omitempty"`
}

// DiffersInfo is a place where the upload shows something else than the flag, such as another caption. All are shares.
type DiffersInfo struct {
	X      float64 `json:"x"` // in the upload's frame
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Share  float64 `json:"share"` // of the flag's keypoints that were looked for
}

// ShadowInfo is what a bank in shadow would have decided.
type ShadowInfo struct {
	Verdict Verdict `json:"verdict"` // Block or Review
	Signal  Signal  `json:"signal"`
	MatchInfo
}

// EvidenceInfo is what a probability is made of.
type EvidenceInfo struct {
	Score           float64 `json:"score"`            // by the model, of the nearest views; 0 without a vector
	PDQ             int     `json:"pdq"`              // bits of 256 that differ; -1 without a hash
	FlagKeypoints   int     `json:"flag_keypoints"`   // that the flag has, at most 200
	UploadKeypoints int     `json:"upload_keypoints"` // that the upload has, at most 600
	Expected        int     `json:"expected"`         // of the flag's, that the upload should show
	Agreeing        int     `json:"agreeing"`         // of these, that it shows
	Contradicting   int     `json:"contradicting"`    // of these, in whose place it shows something else
	Shared          float64 `json:"shared"`           // share of the upload's agreeing keypoints that other flags, which are other pictures, show as well
	Area            float64 `json:"area"`             // share of the flag that agreeing keypoints span
	Shown           float64 `json:"shown"`            // share of the flag that lies in the upload's frame
	Covered         float64 `json:"covered"`          // share of the upload that the flag covers
	Looked          int     `json:"looked"`           // of the flag's keypoints, whose surroundings were looked for in the upload
	Similar         float64 `json:"similar"`          // share of these that are the same there
	PartsAlike      float64 `json:"parts_alike"`      // share of 64 parts of the flag whose coarse differences in brightness are the same; 0 where not looked
}

// AllowedInfo is the picture of the allow-list that suppressed the match: by the same signal, the upload is nearer to it.
type AllowedInfo struct {
	AllowedID  string  `json:"allowed_id"`
	View       string  `json:"view"`
	Similarity float64 `json:"similarity"`
	Score      float64 `json:"score"`
}

// ReviewInfo names the decision that a person reviewed, or whose review a person took back. Apart from verdict and reason, the
// new decision repeats its fields.
type ReviewInfo struct {
	By     string    `json:"by"`
	Of     string    `json:"of"` // id of the reviewed decision's event
	At     time.Time `json:"at"` // time of the reviewed decision's event
	Reason Reason    `json:"reason"`
}

// UploadInfo describes the upload that was judged. URL and Object, where a reference pointed to, are left out of Allow
// decisions: people look only at uploads that are reviewed or blocked.
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
	// AttributesOmitted means that the attributes made the decision too large for the server.
	AttributesOmitted bool `json:"attributes_omitted,omitempty"`
}

// Key returns the unique name of the upload's message, "<stream>:<sequence>:<stored>" with stored in nanoseconds since 1970.
// Redeliveries have the same key. The sequence alone is not unique: a stream that is created again, or restored from an
// earlier copy, uses its numbers again. Without Stored the key is "<stream>:<sequence>", as in older versions.
func (u UploadInfo) Key() string {
	if u.Stored.IsZero() {
		return place(u.Stream, u.Sequence)
	}
	return place(u.Stream, u.Sequence) + ":" + strconv.FormatInt(u.Stored.UnixNano(), 10)
}

// StoredNanos returns Stored in nanoseconds since 1970, or 0 if Stored is zero.
func (u UploadInfo) StoredNanos() int64 {
	if u.Stored.IsZero() {
		return 0
	}
	return u.Stored.UnixNano()
}

// OmitAttributes drops the attributes and sets AttributesOmitted. It returns false if there are no attributes.
func (u *UploadInfo) OmitAttributes() bool {
	if len(u.Attributes) == 0 {
		return false
	}
	u.Attributes, u.AttributesOmitted = map[string]json.RawMessage{}, true
	return true
}

// Reference returns the message, as ParseUpload reads it, of an upload that came by reference: its id, attributes, and URL or object.
func (u UploadInfo) Reference() ([]byte, error) {
	fields := map[string]any{}
	for name, value := range u.Attributes {
		fields[name] = value
	}
	fields["id"] = u.ID
	delete(fields, "url")
	delete(fields, "object")
	if u.Object != nil {
		fields["object"] = u.Object
	} else {
		fields["url"] = u.URL
	}
	return json.Marshal(fields)
}

func place(stream string, sequence uint64) string {
	return stream + ":" + strconv.FormatUint(sequence, 10)
}

// maxURLBytes bounds the URL of a decision: browsers and caches accept no more.
const maxURLBytes = 8192

// ModelInfo names the model whose vectors were compared.
type ModelInfo struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// Milliseconds are the times of an upload's stages. Queue is the time from the stream's timestamp to the pull, Total the
// time from the pull to the publishing of the decision.
type Milliseconds struct {
	Queue  float64 `json:"queue"`
	Fetch  float64 `json:"fetch"`
	Decode float64 `json:"decode"`
	Embed  float64 `json:"embed"`
	Match  float64 `json:"match"`
	Total  float64 `json:"total"`
}

// CloudEvent is the envelope of a decision. JSON has its fields in this order.
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

// NewUploadInfo copies the fields that are known from an upload's message alone.
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

// Encode writes the decision as a structured-mode CloudEvent. The id makes the stream store each decision once:
//
//	<upload's key>                     a first decision
//	<upload's key>:lookback:<flag id>  a look-back's
//	<reviewed decision's id>:reviewed  a person's
//	<that decision's id>:taken_back    of a person who takes the review back
func (d Decision) Encode(now time.Time) (id string, data []byte, err error) {
	id = d.Upload.Key()
	if d.Review != nil {
		id = d.Review.Of + ":reviewed"
		if d.Reason == TakenBack {
			id = d.Review.Of + ":taken_back"
		}
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

// WaitsFor is why the upload waits for a person: the reason of d, or of the decision whose review was taken back.
func (d Decision) WaitsFor() Reason {
	if d.Reason == TakenBack && d.Review != nil {
		return d.Review.Reason
	}
	return d.Reason
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
