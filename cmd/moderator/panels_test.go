package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// Prometheus scrapes a moderator that works. Then each query of the dashboard has data, and each alert's rule is evaluated.
func TestEveryPanelHasDataInPrometheus(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("no prometheus on this machine: install Debian's package prometheus to query it")
	}
	r := startBusy(t)
	textfiles := verified(t)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, textfiles) }))
	t.Cleanup(collector.Close)
	prometheus := startPrometheus(t, strings.TrimPrefix(r.state.HTTPURL, "http://"), strings.TrimPrefix(collector.URL, "http://"))

	js, picture := r.jetStream(), encode(t, synth.Draw(1, 0, 320, 240), 80)
	empty := dashboardQueries(t)
	for deadline := time.Now().Add(2 * time.Minute); len(empty) > 0; time.Sleep(time.Second) { // Prometheus scrapes each second
		require.True(t, time.Now().Before(deadline), "these panels have no data: %v", slices.Sorted(maps.Keys(empty)))
		_, err := js.Publish(t.Context(), "uploads.test", picture)
		require.NoError(t, err)
		for _, call := range []string{r.state.HTTPURL + "/v1/judge", r.state.HMAURL + "/h/hash"} {
			answer, err := http.Post(call, "image/jpeg", bytes.NewReader(picture))
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
		}
		maps.DeleteFunc(empty, func(_, query string) bool { return hasData(t, prometheus, query) })
	}
	require.Eventually(t, func() bool { return rulesAreHealthy(t, prometheus) }, time.Minute, time.Second)
}

// startPrometheus starts a server that scrapes the addresses each second, with the alerts as its rules, and returns its URL.
func startPrometheus(t *testing.T, addresses ...string) string {
	dir := t.TempDir()
	config := map[string]any{
		"global":     map[string]string{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files": []string{filepath.Join(testenv.Root(), "deploy", "prometheus", "alerts.yml")},
		"scrape_configs": []any{map[string]any{
			"job_name": "moderator", "static_configs": []any{map[string]any{"targets": addresses}},
		}},
	}
	text, err := yaml.Marshal(config)
	require.NoError(t, err)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, text, 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	server := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	server.Stdout, server.Stderr = log, log
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = log.Close()
	})
	listening := regexp.MustCompile(`address=(127\.0\.0\.1:[1-9]\d*)`)
	var address []byte
	require.Eventually(t, func() bool {
		printed, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		if found := listening.FindSubmatch(printed); found != nil {
			address = found[1]
		}
		return address != nil
	}, time.Minute, 50*time.Millisecond, "Prometheus does not listen")
	return "http://" + string(address)
}

// ask decodes the data of a Prometheus answer into data; false: there is no answer yet.
func ask(t *testing.T, address string, data any) bool {
	answer, err := http.Get(address)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	require.Equal(t, http.StatusOK, answer.StatusCode, string(text))
	require.NoError(t, json.Unmarshal(text, &struct {
		Data any `json:"data"`
	}{data}))
	return true
}

// hasData reports whether a query returns a number now.
func hasData(t *testing.T, prometheus, query string) bool {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if !ask(t, prometheus+"/api/v1/query?query="+url.QueryEscape(query), &data) {
		return false
	}
	return slices.ContainsFunc(data.Result, func(series struct{ Value [2]any }) bool {
		v, err := strconv.ParseFloat(fmt.Sprint(series.Value[1]), 64)
		return err == nil && v == v // not NaN
	})
}

// rulesAreHealthy reports whether each alert was evaluated without an error.
func rulesAreHealthy(t *testing.T, prometheus string) bool {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if !ask(t, prometheus+"/api/v1/rules", &data) {
		return false
	}
	evaluated := 0
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			require.NotEqual(t, "err", rule.Health, "%s: %s", rule.Name, rule.LastError)
			if rule.Health == "ok" {
				evaluated++
			}
		}
	}
	return evaluated == len(alerts(t))
}
