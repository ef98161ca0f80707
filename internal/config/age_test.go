package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "0d": 0, "0": 0, "36h": 36 * time.Hour, "90m": 90 * time.Minute} {
		var a Age
		require.NoError(t, a.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, time.Duration(a), text)
	}
	for _, text := range []string{"", "d", "-1d", "-2h", "1.5d", "3 days", "99999d"} {
		var a Age
		require.ErrorContains(t, a.UnmarshalText([]byte(text)), "wanted one such as 12h or 30d", text)
	}
}
