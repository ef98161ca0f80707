package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// The programs look up no name, connect to nothing but moderator's own servers, and write nothing outside of the data folder:
// whatever the environment says of telemetry, and with a library that the user names.
func TestNothingLeavesOutside(t *testing.T) {
	library := testenv.ONNXRuntime(t)
	if !testenv.Isolated(t) {
		return
	}
	moderator, flagctl := build(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("MODERATOR_ONNXRUNTIME_LIB", library)
	t.Setenv("ORT_DISABLE_TELEMETRY", "0")
	data := dataDir(t)
	flagged := write(t, "flagged.jpg", encode(t, synth.Draw(1, 0, 640, 480), 90))
	copied := write(t, "copied.jpg", encode(t, synth.Draw(1, 0, 640, 480), 50))
	ran := func(program string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), program, append(args, "--data-dir", data)...)
		cmd.Dir, cmd.Stderr = "/", t.Output()
		out, err := cmd.Output()
		require.NoError(t, err, string(out))
		return string(out)
	}
	seen, written := testenv.WatchNetwork(t), testenv.WatchFiles(t)

	ran(moderator, "check")
	r := startProgram(t, moderator, data, "--lookback", "1d")
	own := map[string]bool{}
	for _, address := range []string{r.state.NATSURL, r.state.HTTPURL, r.state.ConsoleURL} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		own["tcp "+u.Host] = true
	}
	ran(flagctl, "add", flagged)
	require.Contains(t, ran(flagctl, "submit", copied), "block")
	ran(flagctl, "search", copied)
	ran(flagctl, "verify")
	require.NoError(t, r.signal(syscall.SIGTERM))

	for _, what := range seen() {
		if !own[what] {
			t.Errorf("%s: moderator's own servers are %v", what, own)
		}
	}
	inData := 0
	for _, path := range written() {
		switch {
		case strings.HasPrefix(path, data+string(filepath.Separator)):
			inData++
		case strings.HasPrefix(path, "/dev/shm/PostgreSQL."), strings.HasPrefix(path, "/memfd:"): // memory
		default:
			t.Errorf("%s was written, wanted files in %s only", path, data)
		}
	}
	require.NotZero(t, inData, "the files of the data folder are seen")
	left, err := os.ReadDir(home)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What `make build` leaves runs from any folder, also through a link.
func TestBuiltProgramsRunAnywhere(t *testing.T) {
	testenv.ONNXRuntime(t)
	moderator, flagctl := build(t)
	picture := write(t, "picture.jpg", encode(t, synth.Draw(1, 0, 640, 480), 90))
	for program, args := range map[string][]string{
		flagctl:   {"compare", picture, picture},
		moderator: {"check", "--data-dir", dataDir(t)},
	} {
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(program, link))
		cmd := exec.CommandContext(t.Context(), link, args...)
		cmd.Dir = "/"
		for _, variable := range os.Environ() {
			if !strings.HasPrefix(variable, "MODERATOR_") {
				cmd.Env = append(cmd.Env, variable)
			}
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// build makes the programs of this tree.
func build(t *testing.T) (moderator, flagctl string) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "make", "--old-file=setup", "build", "BIN="+dir)
	cmd.Dir = testenv.Root()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return filepath.Join(dir, "moderator"), filepath.Join(dir, "flagctl")
}
