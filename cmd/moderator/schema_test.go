package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
)

// decisionSchema returns docs/schema/decision.schema.json, closed to fields that it does not list.
func decisionSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "schema", "decision.schema.json"))
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	closeObjects(document)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("decision.json", document))
	schema, err := compiler.Compile("decision.json")
	require.NoError(t, err)
	return schema
}

func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, open := node["additionalProperties"]; node["type"] == "object" && !open {
			node["additionalProperties"] = false
		}
		for _, below := range node {
			closeObjects(below)
		}
	case []any:
		for _, below := range node {
			closeObjects(below)
		}
	}
}

// The schema accepts a real decision of each reason, and knows all its fields.
func TestDecisionsFollowTheirSchema(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer broken.Close()
	r := start(t, dataDir(t), "--lookback", "1d", "--max-pixels", "400000", "--attempts", "2", "--retry-backoff", "50ms",
		"--fetch-host", broken.Listener.Addr().String(), "--fetch-allow-cidr", "127.0.0.0/8")
	js := r.jetStream()
	const asJSON = "application/json"
	picture := rgba(synth.Draw(1, 3, 640, 480))
	all := transforms.Quality()
	cropped, err := all[slices.IndexFunc(all, func(e transforms.Edit) bool { return e.Name == "crop-95" })].Picture(picture, nil, 1)
	require.NoError(t, err)
	flagged, innocent, other := encode(t, picture, 90), encode(t, cropped, 90), encode(t, synth.Draw(1, 4, 640, 480), 90)
	_, err = r.flagctl("add", write(t, "flagged.jpg", flagged))
	require.NoError(t, err)

	publish(t, js, other)
	publish(t, js, encode(t, picture, 60), "ce-id", "photo-2", "ce-specversion", "1.0", "ce-type", "t", "ce-source", "/s", "ce-uploader", "u-17")
	publish(t, js, encode(t, image.NewGray(image.Rect(0, 0, 320, 240)), 90))
	publish(t, js, other[:len(other)/20])
	publish(t, js, []byte("no picture"))
	publish(t, js, encode(t, synth.Draw(1, 5, 800, 600), 90))
	publish(t, js, []byte(`{"id": 7, "url": "https://elsewhere.example/a.jpg", "uploader": "u-17"}`), "Content-Type", asJSON)
	publish(t, js, []byte(`{"object": {"bucket": "none", "name": "a.jpg"}}`), "Content-Type", asJSON)
	publish(t, js, []byte(`{"url": "`+broken.URL+`/a.jpg"}`), "Content-Type", asJSON)
	r.all(js, 9)
	_, err = r.flagctl("allow", "add", write(t, "innocent.jpg", innocent))
	require.NoError(t, err)
	publish(t, js, innocent)
	decided := r.all(js, 10)
	require.Equal(t, event.AllowListed, decided["UPLOADS:10"].Reason)

	out, err := r.flagctl("add", write(t, "other.jpg", other))
	require.NoError(t, err)
	var added []struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(out), &added))
	require.Eventually(t, func() bool { // features of uploads are stored after their decisions
		out, err := r.flagctl("lookback", added[0].ID)
		return err == nil && strings.Contains(out, "lookback")
	}, time.Minute, 50*time.Millisecond)
	r.review(js)
	response, err := http.Post(r.state.HTTPURL+"/v1/judge", "image/jpeg", bytes.NewReader(flagged))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	schema := decisionSchema(t)
	stream, err := js.Stream(t.Context(), "DECISIONS")
	require.NoError(t, err)
	seen := map[event.Reason]bool{}
	for i := uint64(1); i <= stream.CachedInfo().State.LastSeq; i++ {
		msg, err := stream.GetMsg(t.Context(), i)
		require.NoError(t, err)
		message, err := jsonschema.UnmarshalJSON(bytes.NewReader(msg.Data))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(message), string(msg.Data))
		e, err := event.DecodeDecision(msg.Data)
		require.NoError(t, err)
		seen[e.Data.Reason] = true

		data := message.(map[string]any)["data"].(map[string]any)
		verdict := data["verdict"]
		for _, wrong := range []string{"block", "review", "allow"} {
			data["verdict"] = wrong
			matched := e.Data.Reason == event.Match || e.Data.Reason == event.Lookback
			if wrong == verdict || matched && wrong != "allow" || e.Data.Reason == event.Reviewed && wrong != "review" {
				continue
			}
			require.Error(t, schema.Validate(message), "%s with %s", e.Data.Reason, wrong)
		}
		delete(data, "verdict")
		require.Error(t, schema.Validate(message), "without a verdict")
	}
	for _, reason := range []event.Reason{
		event.Match, event.NoMatch, event.AllowListed, event.LowDetail, event.Undecodable, event.Unsupported, event.TooLarge,
		event.FetchFailed, event.RetriesExhausted, event.Lookback, event.Reviewed, event.TakenBack,
	} {
		require.True(t, seen[reason], "no decision with the reason %s", reason)
	}
}

// review blocks the oldest decision with the verdict review, and takes that back, as a person does in the console.
func (r *running) review(js jetstream.JetStream) {
	r.t.Helper()
	stream, err := js.Stream(r.t.Context(), "DECISIONS")
	require.NoError(r.t, err)
	msg, err := stream.GetMsg(r.t.Context(), 0, jetstream.WithGetMsgSubject(event.DecisionSubject(event.Review)))
	require.NoError(r.t, err)
	e, err := event.DecodeDecision(msg.Data)
	require.NoError(r.t, err)
	console, err := url.Parse(r.state.ConsoleURL)
	require.NoError(r.t, err)
	form := url.Values{"decision": {"block"}, "decision_id": {e.ID}}
	for _, path := range []string{"", "/take-back"} {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost,
			fmt.Sprintf("http://%s/review/%d%s", console.Host, msg.Sequence, path), strings.NewReader(form.Encode()))
		require.NoError(r.t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", "Bearer "+console.Query().Get("token"))
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(r.t, err)
		require.NoError(r.t, response.Body.Close())
		require.Equal(r.t, http.StatusSeeOther, response.StatusCode)
	}
}
