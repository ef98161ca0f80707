package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

func deployed(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{testenv.Root(), "deploy"}, path...)...))
	require.NoError(t, err)
	return data
}

// dashboardQueries returns the dashboard's expressions by panel title.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(deployed(t, "grafana", "dashboards", "moderator.json"), &dashboard))
	queries := map[string]string{}
	for _, panel := range dashboard.Panels {
		require.NotEmpty(t, panel.Targets, panel.Title)
		for i, target := range panel.Targets {
			// Grafana replaces its variables before it queries Prometheus.
			expr := strings.NewReplacer("$__rate_interval", "15s", "$instance", ".*").Replace(target.Expr)
			queries[panel.Title+string(rune('A'+i))] = expr
		}
	}
	return queries
}

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(deployed(t, "prometheus", "alerts.yml"))))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&rules))
	require.Len(t, rules.Groups, 1)
	return rules.Groups[0].Rules
}

// metricsOf returns the names of the metrics in a query.
func metricsOf(t *testing.T, query string) (names []string) {
	t.Helper()
	expr, err := metricsql.Parse(query)
	require.NoError(t, err, query)
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		if m, ok := e.(*metricsql.MetricExpr); ok {
			for _, filters := range m.LabelFilterss {
				for _, f := range filters {
					if f.Label == "__name__" {
						names = append(names, f.Value)
					}
				}
			}
		}
	})
	require.NotEmpty(t, names, query)
	return names
}

var sampleName = regexp.MustCompile(`(?m)^([a-z_:][a-z0-9_:]*)[ {]`)

func samples(exposition string) map[string]bool {
	names := map[string]bool{}
	for _, match := range sampleName.FindAllStringSubmatch(exposition, -1) {
		names[match[1]] = true
	}
	return names
}

// startBusy starts a moderator that has judged uploads, with a library that has a bank in shadow and an exchange.
func startBusy(t *testing.T) *running {
	r := start(t, dataDir(t), "--hma-listen", "127.0.0.1:0")
	js := r.jetStream()
	flagged := filepath.Join(t.TempDir(), "flagged.jpg")
	require.NoError(t, os.WriteFile(flagged, encode(t, synth.Draw(1, 0, 320, 240), 90), 0o644))
	_, err := r.flagctl("add", flagged)
	require.NoError(t, err)
	for _, args := range [][]string{
		{"exchange", "add", "theirs", "--programme", "list", "--bank", "default", "--url", flagged},
		{"bank", "add", "trial"},
		{"bank", "set", "trial", "--shadow", "on"},
		{"add", "--bank", "trial", flagged},
	} {
		_, err := r.flagctl(args...)
		require.NoError(t, err)
	}
	for _, seed := range []uint64{3, 1} { // the second is flagged
		_, err = js.Publish(t.Context(), "uploads.test", encode(t, synth.Draw(seed, 0, 320, 240), 90))
		require.NoError(t, err)
	}
	r.decisions(js, 2)
	return r
}

// Every metric of the dashboard and the alerts exists after a moderator has judged an upload with a library.
func TestEveryMetricNamedInDeployExists(t *testing.T) {
	t.Parallel()
	r := startBusy(t)
	code, body := r.get("/metrics")
	require.Equal(t, http.StatusOK, code)
	have := samples(body)
	maps.Copy(have, samples(verified(t)))

	used := map[string]bool{}
	check := func(where, query string) {
		for _, name := range metricsOf(t, query) {
			require.True(t, have[name], "%s uses %s, which neither moderator nor verify.jq exports: %s", where, name, query)
			used[name] = true
		}
	}
	for panel, query := range dashboardQueries(t) {
		check("panel "+panel, query)
	}
	for _, a := range alerts(t) {
		check("alert "+a.Alert, a.Expr)
	}
	// And every metric of moderator is on a panel or in an alert.
	for name := range have {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if strings.HasPrefix(name, "moderator_") && name == base && !used[name] {
			t.Errorf("%s is on no panel and in no alert", name)
		}
	}
}

// verified returns the metrics that verify.jq makes of flagctl verify's JSON.
func verified(t *testing.T) string {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed: apt-get install jq")
	}
	cmd := exec.Command("jq", "--raw-output", "--from-file", filepath.Join(testenv.Root(), "deploy", "prometheus", "verify.jq"))
	cmd.Stdin = strings.NewReader(`{"ok": false, "checks": [{"name": "embedding search", "status": "failed", "recall": 0.98, "count": 20},
		{"name": "flags without embeddings", "status": "ok", "count": 0}]}`)
	text, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(text), `moderator_verify_recall{search="embedding_search"} 0.98`)
	require.Contains(t, string(text), "moderator_verify_ok 0\n")
	return string(text)
}

// docs/operations/runbook.md has a section for each alert and no other. The alert links to it.
func TestEveryAlertIsExplained(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "operations", "runbook.md"))
	require.NoError(t, err)
	var explained, have []string
	for _, match := range regexp.MustCompile(`(?m)^### (Moderator\w+)$`).FindAllStringSubmatch(string(data), -1) {
		explained = append(explained, match[1])
	}
	for _, a := range alerts(t) {
		have = append(have, a.Alert)
		require.Contains(t, []string{"page", "ticket"}, a.Labels["severity"], a.Alert)
		require.NotEmpty(t, a.Annotations["summary"], a.Alert)
		require.Equal(t, "docs/operations/runbook.md#"+strings.ToLower(a.Alert), a.Annotations["runbook"], a.Alert)
	}
	slices.Sort(have)
	slices.Sort(explained)
	require.Equal(t, have, explained)
}
