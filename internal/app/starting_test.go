package app

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
)

func TestAStartIsAliveWhileItGoesOn(t *testing.T) {
	var s starting
	rows := int64(0)
	s.begin("reads the library", time.Minute, func() int64 { return rows })
	began := time.Now()
	for minute := range 100 {
		rows += 5
		text, hangs := s.state(began.Add(time.Duration(minute) * time.Minute))
		require.False(t, hangs, text)
	}
	text, hangs := s.state(began.Add(102 * time.Minute))
	require.True(t, hangs)
	require.Equal(t, "starting: reads the library: 500 rows: no progress for 3m0s", text)

	s.begin("connects", time.Minute, nil)
	text, hangs = s.state(time.Now())
	require.False(t, hangs, "another step began")
	require.Equal(t, "starting: connects", text)
}

// While moderator starts it is alive and not ready; then the other handler answers on the same port.
func TestProbesAnswerWhileModeratorStarts(t *testing.T) {
	var s starting
	s.begin("opens the model", time.Minute, nil)
	web, err := listenHTTP("127.0.0.1:0", s.handler(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, web.stop(t.Context())) }()
	get := func(path string) (int, string) {
		answer, err := http.Get(web.url + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(body)
	}
	for path, want := range map[string]int{config.LivePath: 200, config.ReadyPath: 503, config.MetricsPath: 200, "/v1/judge": 503} {
		code, body := get(path)
		require.Equal(t, want, code, path)
		if path != config.MetricsPath {
			require.Equal(t, "starting: opens the model\n", body)
		}
	}
	s.begin("opens the model", -time.Second, nil)
	code, body := get(config.LivePath)
	require.Equal(t, 503, code, body)

	web.replace(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "judging") }))
	code, body = get(config.LivePath)
	require.Equal(t, 200, code)
	require.Equal(t, "judging", body)
}
