package event

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func pointer(v float64) *float64 { return &v }

func TestEncodeWritesTheContract(t *testing.T) {
	match := MatchInfo{FlaggedID: "f1", Bank: "spam", View: "flip-horizontal", Similarity: 0.9731, Score: 0.71}
	upload := NewUploadInfo(Upload{
		ID: "photo-8812", Subject: "uploads.web", Stream: "UPLOADS", Sequence: 4711, Published: stored.Add(7), Body: []byte("12345"),
		Attributes: attributes("user", `{"n": 1.50}`),
	})
	upload.SHA256, upload.Format, upload.Width, upload.Height = "ab12", "jpeg", 4032, 3024
	d := Decision{
		Verdict: Block, Reason: Match, Similarity: pointer(0.9731), Score: pointer(0.71), Threshold: pointer(0.52), Signal: SignalEmbedding,
		Match: &match, Matches: []MatchInfo{match}, Upload: upload, Model: ModelInfo{Name: "copydetect", Fingerprint: "c0ffee"},
		Timing: Milliseconds{Queue: 3.1, Decode: 9.2, Embed: 21, Match: 1.4, Total: 35.2},
	}
	id, data, err := d.Encode(time.Date(2026, 3, 4, 6, 6, 7, 500_000_000, time.FixedZone("", 3600)))
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:4711:1772600767000000007", id)
	require.Equal(t, `{"specversion":"1.0","type":"moderation.decision.v1","source":"/moderator","id":"UPLOADS:4711:1772600767000000007",`+
		`"subject":"photo-8812","time":"2026-03-04T05:06:07.5Z","datacontenttype":"application/json",`+
		`"data":{"verdict":"block","reason":"match",`+
		`"similarity":0.9731,"score":0.71,"threshold":0.52,"signal":"embedding",`+
		`"match":{"flagged_id":"f1","bank":"spam","view":"flip-horizontal","similarity":0.9731,"score":0.71},`+
		`"matches":[{"flagged_id":"f1","bank":"spam","view":"flip-horizontal","similarity":0.9731,"score":0.71}],`+
		`"upload":{"id":"photo-8812","subject":"uploads.web","stream":"UPLOADS","sequence":4711,"stored":"2026-03-04T05:06:07.000000007Z","sha256":"ab12",`+
		`"format":"jpeg","width":4032,"height":3024,"bytes":5,"attributes":{"user":{"n":1.50}}},`+
		`"model":{"name":"copydetect","fingerprint":"c0ffee"},`+
		`"timing_ms":{"queue":3.1,"fetch":0,"decode":9.2,"embed":21,"match":1.4,"total":35.2}}}`, string(data))

	decoded, err := DecodeDecision(data)
	require.NoError(t, err)
	require.Equal(t, id, decoded.ID)
	require.Equal(t, "photo-8812", decoded.Subject)
	require.True(t, decoded.Time.Equal(stored.Add(500*time.Millisecond)))
	d.Upload.Attributes = attributes("user", `{"n":1.50}`)
	require.Equal(t, d, decoded.Data)
}

func TestEncodeOfWhatCouldNotBeJudged(t *testing.T) {
	d := Decision{
		Verdict: Review, Reason: FetchFailed, Detail: "gone",
		Upload: NewUploadInfo(Upload{ID: "UPLOADS:1", Subject: "uploads.web", Stream: "UPLOADS", Sequence: 1}),
	}
	id, data, err := d.Encode(stored)
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:1", id)
	require.Equal(t, `{"specversion":"1.0","type":"moderation.decision.v1","source":"/moderator","id":"UPLOADS:1",`+
		`"subject":"UPLOADS:1","time":"2026-03-04T05:06:07Z","datacontenttype":"application/json",`+
		`"data":{"verdict":"review","reason":"fetch_failed","detail":"gone","matches":[],`+
		`"upload":{"id":"UPLOADS:1","subject":"uploads.web","stream":"UPLOADS","sequence":1,"bytes":0,"attributes":{}},`+
		`"model":{"name":"","fingerprint":""},`+
		`"timing_ms":{"queue":0,"fetch":0,"decode":0,"embed":0,"match":0,"total":0}}}`, string(data))
}

func TestEncodeKeepsZeros(t *testing.T) {
	_, data, err := Decision{Similarity: pointer(0), Score: pointer(0), Threshold: pointer(0)}.Encode(stored)
	require.NoError(t, err)
	require.Contains(t, string(data), `"similarity":0,"score":0,"threshold":0`)
}

func TestEncodeRefusesWhatJSONCannotSay(t *testing.T) {
	d := Decision{Score: pointer(math.NaN()), Upload: UploadInfo{Stream: "UPLOADS", Sequence: 7}}
	_, _, err := d.Encode(stored)
	require.ErrorContains(t, err, "encode decision of UPLOADS:7")
}

func TestDecodeDecisionRefusesOtherEvents(t *testing.T) {
	for data, text := range map[string]string{
		``:                                     "decode decision",
		`[]`:                                   "decode decision",
		`{}`:                                   `specversion "" and type ""`,
		`{"specversion":"1.0","type":"other"}`: `type "other", wanted 1.0 and moderation.decision.v1`,
		`{"specversion":"0.3","type":"moderation.decision.v1"}`:        `specversion "0.3"`,
		`{"specversion":"1.0","type":"moderation.decision.v1","id":7}`: "decode decision",
	} {
		_, err := DecodeDecision([]byte(data))
		require.ErrorContains(t, err, text, data)
	}
}

// Reviews and appeals need the picture's URL. Other decisions omit it, because it may contain a signature.
func TestAllowOmitsURLAndObject(t *testing.T) {
	for name, upload := range map[string]Upload{
		`"url":"https://cdn.example.com/1.jpg?sig=s"`: {URL: "https://cdn.example.com/1.jpg?sig=s"},
		`"object":{"bucket":"b","name":"n"}`:          {Object: &Object{Bucket: "b", Name: "n"}},
	} {
		for verdict, wanted := range map[Verdict]bool{Review: true, Block: true, Allow: false} {
			_, data, err := Decision{Verdict: verdict, Upload: NewUploadInfo(upload)}.Encode(stored)
			require.NoError(t, err)
			require.Equal(t, wanted, strings.Contains(string(data), name), "%s: %s", verdict, data)
		}
	}
	require.Empty(t, NewUploadInfo(Upload{URL: "https://a/" + strings.Repeat("x", maxURLBytes)}).URL, "a decision always fits a message")
}

func TestReviewedDecisionHasItsOwnID(t *testing.T) {
	review := ReviewInfo{By: "ann", Of: "UPLOADS:7", At: stored.UTC(), Reason: Match}
	d := Decision{Verdict: Block, Reason: Reviewed, Review: &review, Upload: UploadInfo{Stream: "UPLOADS", Sequence: 7}}
	id, data, err := d.Encode(stored)
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:7:reviewed", id)
	require.Contains(t, string(data), `"review":{"by":"ann","of":"UPLOADS:7","at":"2026-03-04T05:06:07Z","reason":"match"}`)

	review.Of = "UPLOADS:7:lookback:f1"
	id, _, err = d.Encode(stored)
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:7:lookback:f1:reviewed", id, "each of an upload's reviews is a message of its own")
}

// A stream that is created again or restored uses sequence numbers again, for other messages.
func TestIDNamesTheMessageAndNotItsPlace(t *testing.T) {
	id := func(published time.Time) string {
		id, _, err := Decision{Verdict: Allow, Upload: NewUploadInfo(Upload{Stream: "UPLOADS", Sequence: 1, Published: published})}.Encode(time.Now())
		require.NoError(t, err)
		return id
	}
	require.Equal(t, id(stored), id(stored.UTC()), "of a redelivery")
	require.NotEqual(t, id(stored), id(stored.Add(time.Nanosecond)), "of another message")
	require.Equal(t, "UPLOADS:1", id(time.Time{}), "of an upload that an older version kept")
}

func TestOmittedAttributesAreReported(t *testing.T) {
	u := NewUploadInfo(Upload{Attributes: attributes("note", `"x"`)})
	require.True(t, u.OmitAttributes())
	_, data, err := Decision{Verdict: Allow, Upload: u}.Encode(stored)
	require.NoError(t, err)
	require.Contains(t, string(data), `"attributes":{},"attributes_omitted":true`)
	require.False(t, u.OmitAttributes(), "there are none left")
}

func TestReviewsAndTheirCorrectionsHaveIDsOfTheirOwn(t *testing.T) {
	d := Decision{Verdict: Block, Reason: Reviewed, Review: &ReviewInfo{Of: "UPLOADS:1", Reason: FetchFailed}}
	id, _, err := d.Encode(stored)
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:1:reviewed", id)
	require.Equal(t, Reviewed, d.WaitsFor())
	d.Verdict, d.Reason = Review, TakenBack
	id, _, err = d.Encode(stored)
	require.NoError(t, err)
	require.Equal(t, "UPLOADS:1:taken_back", id)
	require.Equal(t, FetchFailed, d.WaitsFor())
}

func TestReferenceIsReadAsTheUploadThatItWas(t *testing.T) {
	for _, message := range []string{
		`{"id": "p1", "url": "https://cdn.example.com/1.jpg?s=1", "uploader": {"n": 1.50}}`,
		`{"id": "p1", "object": {"bucket": "b", "name": "n"}, "tags": ["x"]}`,
	} {
		first, err := ParseUpload(Message{Subject: "uploads.web", Stream: "UPLOADS", Sequence: 1, Header: contentType(asJSON), Data: []byte(message)})
		require.NoError(t, err)
		body, err := NewUploadInfo(first).Reference()
		require.NoError(t, err)
		again, err := ParseUpload(Message{Subject: "uploads.web", Stream: "UPLOADS", Sequence: 1, Header: contentType(asJSON), Data: body})
		require.NoError(t, err)
		require.Equal(t, len(first.Attributes), len(again.Attributes))
		for name, value := range first.Attributes {
			require.JSONEq(t, string(value), string(again.Attributes[name]))
		}
		first.Attributes, again.Attributes = nil, nil
		require.Equal(t, first, again)
	}
}
