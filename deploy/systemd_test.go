package deploy_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// The unit is confined: systemd rates its exposure from 0 to 10.
func TestUnitIsHardened(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze on this machine: install Debian's package systemd to rate the unit")
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "systemd/moderator.service").CombinedOutput()
	require.NoError(t, err, string(out))
	rating := regexp.MustCompile(`Overall exposure level for moderator.service: ([0-9.]+)`).FindSubmatch(out)
	require.NotNil(t, rating, string(out))
	exposure, err := strconv.ParseFloat(string(rating[1]), 64)
	require.NoError(t, err)
	require.LessOrEqual(t, exposure, 3.0)
}
