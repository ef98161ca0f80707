package flagctl

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestRelease(t *testing.T) {
	s := newStats(t)
	run := func(args ...string) (string, string, error) {
		var out, notes bytes.Buffer
		err := Run(t.Context(), append([]string{"--database-url", s.database, "--as", "mo"}, args...), &out, &notes)
		return out.String(), notes.String(), err
	}
	_, notes, err := run("list", "--quarantined")
	require.NoError(t, err)
	require.Equal(t, "no flag is in quarantine\n", notes)
	_, err = s.db.QuarantineFlag(t.Context(), uuid.MustParse(s.flags[0]), 101)
	require.NoError(t, err)

	out, _, err := run("list", "--quarantined", "-o", "json")
	require.NoError(t, err)
	var listed []flagJSON
	require.NoError(t, json.Unmarshal([]byte(out), &listed))
	require.Len(t, listed, 1)
	require.Equal(t, []any{s.flags[0], 101}, []any{listed[0].ID, listed[0].Quarantined.Blocked})
	out, _, err = run("list")
	require.NoError(t, err)
	require.Regexp(t, s.flags[0]+` +default +quarantined `, out)
	out, _, err = run("show", s.flags[0])
	require.NoError(t, err)
	require.Regexp(t, "quarantined +.*blocked 101 uploads within an hour: `flagctl release "+s.flags[0], out)

	_, _, err = run("release", s.flags[1])
	require.ErrorContains(t, err, "in quarantine: not found")
	out, _, err = run("release", s.flags[0], "--reason", "a campaign")
	require.NoError(t, err)
	require.Regexp(t, "released +"+s.flags[0], out)
	_, notes, err = run("list", "--quarantined")
	require.NoError(t, err)
	require.Equal(t, "no flag is in quarantine\n", notes)
	out, _, err = run("history", s.flags[0])
	require.NoError(t, err)
	require.Regexp(t, `(?s)moderator .*put flag \S+ in quarantine: blocked 101 uploads.*mo .*released flag \S+ from quarantine: a campaign`, out)
}
