package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	uploads := []upload{{name: "a", reason: "review/undecodable"}, {name: "b", reason: "allow/no_match"}, {name: "c", reason: "review/undecodable"}}
	var out strings.Builder
	require.NoError(t, result{uploads: uploads, deaths: 2, maxRSS: 300, took: 1500 * time.Millisecond}.report(&out, false))
	require.Equal(t, `DECISION            FILES
allow/no_match      1
review/undecodable  2
decode workers that died and were replaced: 2
time: 1.5 s
hostile: files=3 decided=3 crashes=0 hangs=0 max_rss_mb=300
`, out.String())

	uploads[1].reason = ""
	out.Reset()
	require.Error(t, result{uploads: uploads, crashes: 1}.report(&out, false))
	require.Contains(t, out.String(), "no decision\tb\n")
	require.True(t, strings.HasSuffix(out.String(), "hostile: files=3 decided=2 crashes=1 hangs=1 max_rss_mb=0\n"))
}

func TestUploads(t *testing.T) {
	_, err := options{}.uploads()
	require.ErrorContains(t, err, "--files")
	_, err = options{Files: "no/such/folder"}.uploads()
	require.ErrorContains(t, err, "no/such/folder")
	own, err := options{Files: "."}.uploads()
	require.NoError(t, err)
	require.NotEmpty(t, own)
}
