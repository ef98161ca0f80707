package ask

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

const maxBytes = 1 << 10

// judge decides on "flagged" uploads block, cannot decide on "away", and waits with "slow" for the gate.
func judge(gate chan struct{}) Judge {
	return func(ctx context.Context, u event.Upload, publish bool) (event.Decision, error) {
		d := event.Decision{Verdict: event.Allow, Reason: event.NoMatch, Upload: event.NewUploadInfo(u)}
		switch string(u.Body) {
		case "away":
			return d, errors.New("postgres: away for 3s")
		case "slow":
			<-gate
		case "flagged":
			d.Verdict = event.Block
		}
		if !publish {
			d.Detail = "dry run"
		}
		return d, nil
	}
}

func newAsker(gate chan struct{}) *Asker {
	return New(judge(gate), maxBytes, 1, prometheus.NewRegistry())
}

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(newAsker(nil))
	defer server.Close()
	for name, test := range map[string]struct {
		query, contentType, body string
		status                   int
		want                     string
	}{
		"a file":                {"", "", "flagged", 200, `"verdict":"block"`},
		"as curl sends it":      {"", "application/x-www-form-urlencoded", "flagged", 200, `"verdict":"block"`},
		"a reference":           {"", "application/json", `{"id": "photo-1", "url": "https://example.org/a.jpg"}`, 200, `"id":"photo-1"`},
		"published":             {"?publish=true", "", "flagged", 200, `"verdict":"block"`},
		"a dry run":             {"?publish=false", "", "flagged", 200, "dry run"},
		"an unknown parameter":  {"?publish=maybe", "", "flagged", 400, "want true or false"},
		"nothing":               {"", "", "", 400, "the message is empty"},
		"no reference":          {"", "application/json", `{"id": "photo-1"}`, 400, "malformed"},
		"a large file":          {"", "", strings.Repeat("x", 2*maxBytes+referenceBytes), 413, "larger than"},
		"a dependency is away":  {"", "", "away", 503, "postgres: away for 3s"},
		"an id that is no JSON": {"", "application/json", `{"id": "photo-1"`, 400, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := server.Client().Post(server.URL+HTTPPath+test.query, test.contentType, strings.NewReader(test.body))
			require.NoError(t, err)
			defer response.Body.Close()
			var answer json.RawMessage
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
			require.Equal(t, test.status, response.StatusCode, string(answer))
			require.Contains(t, string(answer), test.want)
			require.Equal(t, test.status == 503, response.Header.Get("Retry-After") != "")
		})
	}
}

func TestBusy(t *testing.T) {
	gate := make(chan struct{})
	a := newAsker(gate)
	server := httptest.NewServer(a)
	defer server.Close()
	first := make(chan int, 1)
	go func() {
		response, err := server.Client().Post(server.URL+HTTPPath, "", strings.NewReader("slow"))
		if err == nil {
			response.Body.Close()
			first <- response.StatusCode
		}
	}()
	require.Eventually(t, func() bool { return len(a.slots) == 1 }, time.Minute, time.Millisecond)
	response, err := server.Client().Post(server.URL+HTTPPath, "", strings.NewReader("plain"))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	close(gate)
	require.Equal(t, http.StatusOK, <-first)
}

func TestService(t *testing.T) {
	nc, err := nats.Connect(testenv.NATS(t))
	require.NoError(t, err)
	defer nc.Close()
	service, err := newAsker(nil).Serve(t.Context(), nc, "1.2.3")
	require.NoError(t, err)
	request := func(body, publish string) *nats.Msg {
		msg := nats.NewMsg(Subject)
		msg.Data = []byte(body)
		if publish != "" {
			msg.Header.Set(publishHeader, publish)
		}
		answer, err := nc.RequestMsg(msg, time.Minute)
		require.NoError(t, err)
		return answer
	}
	answer := request("flagged", "")
	require.Contains(t, string(answer.Data), `"verdict":"block"`)
	require.Contains(t, string(answer.Data), `"stream":"ask"`)
	require.Contains(t, string(request("flagged", "false").Data), "dry run")
	require.Equal(t, "400", request("", "").Header.Get(micro.ErrorCodeHeader))
	require.Equal(t, "400", request("flagged", "maybe").Header.Get(micro.ErrorCodeHeader))
	answer = request("away", "")
	require.Equal(t, "503", answer.Header.Get(micro.ErrorCodeHeader))
	require.Contains(t, answer.Header.Get(micro.ErrorHeader), "postgres: away for 3s")
	require.Equal(t, "1", answer.Header.Get("Retry-After"))

	answer, err = nc.Request("$SRV.STATS.moderator", nil, time.Minute)
	require.NoError(t, err)
	require.Contains(t, string(answer.Data), `"num_requests":5`)
	require.NoError(t, service.Stop())
	_, err = nc.Request(Subject, []byte("flagged"), time.Minute)
	require.ErrorIs(t, err, nats.ErrNoResponders)
}
