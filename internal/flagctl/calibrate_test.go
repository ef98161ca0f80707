package flagctl

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/testenv"
)

// The command that calibrate prints sets the thresholds that it found, zero and negative ones too.
func TestCalibratePrintsACommandThatRuns(t *testing.T) {
	url := testenv.Postgres(t)
	require.NoError(t, migrate(t.Context(), url))
	db, err := matchdb.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	folder, err := recognise.Folder(config.Model{})
	require.NoError(t, err)
	for _, found := range []calibrated{
		{BlockAt: 0.25, ReviewAt: 0.125}, {BlockAt: 0.25, ReviewAt: 0}, {BlockAt: 0.25, ReviewAt: -0.125}, {BlockAt: -0.125, ReviewAt: -0.25},
	} {
		var printed bytes.Buffer
		k := calibrateCommand{Apply: "default"}
		require.NoError(t, k.print(&cli{Grammar: &Grammar{Output: "table"}, stdout: &printed}, found))
		command := regexp.MustCompile("(?m)^flagctl bank set .*$").FindString(printed.String())
		args := append([]string{"--database-url", url}, strings.Fields(command)[1:]...)
		require.NoError(t, Run(t.Context(), args, t.Output(), t.Output()), command)
		banks, err := db.Banks(t.Context(), folder.Fingerprint())
		require.NoError(t, err)
		require.Equal(t, matchdb.Thresholds{BlockAt: found.BlockAt, ReviewAt: &found.ReviewAt}, banks[0].Thresholds, command)
	}
}
