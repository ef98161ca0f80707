package deploy_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each alert fires in its unit test.
func TestAlertsFire(t *testing.T) {
	tests := read(t, "deploy/prometheus/alerts.test.yml")
	for _, alert := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(read(t, "deploy/prometheus/alerts.yml"), -1) {
		require.True(t, strings.Contains(tests, "alertname: "+alert[1]+","), "%s has no test in alerts.test.yml", alert[1])
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool on this machine: install Debian's package prometheus to test the alerts")
	}
	out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", "prometheus/alerts.test.yml").CombinedOutput()
	require.NoError(t, err, string(out))
}
