package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// The programs look up no name, connect to nothing but moderator's own servers, and write nothing outside of the data
// folder. That holds with telemetry switched on in the environment and with a library that the user names.
func TestNothingLeavesOutside(t *testing.T) {
	library := testenv.ONNXRuntime(t)
	moderator, flagctl := build(t)
	t.Parallel() // after the build, which uses all cores
	if !testenv.Isolated(t) {
		return
	}
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "XDG_CACHE_HOME": "", "MODERATOR_ONNXRUNTIME_LIB": library, "ORT_DISABLE_TELEMETRY": "0",
	} {
		require.NoError(t, os.Setenv(name, value)) // this process runs no other test
	}
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
		case strings.HasPrefix(path, "/dev/shm/PostgreSQL."), strings.HasPrefix(path, "/memfd:"): // in memory
		default:
			t.Errorf("%s was written, wanted files in %s only", path, data)
		}
	}
	require.NotZero(t, inData, "the watch reports files of the data folder")
	left, err := os.ReadDir(home)
	require.NoError(t, err)
	require.Empty(t, left)
}

// The programs of `make build` run in any folder, also through a link.
func TestBuiltProgramsRunAnywhere(t *testing.T) {
	testenv.ONNXRuntime(t)
	moderator, flagctl := build(t)
	t.Parallel() // after the build, which uses all cores
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

// build returns the paths of both programs. They are built once for all tests and deleted by TestMain.
func build(t *testing.T) (moderator, flagctl string) {
	t.Helper()
	dir, err := built()
	require.NoError(t, err)
	return filepath.Join(dir, "moderator"), filepath.Join(dir, "flagctl")
}

var built = sync.OnceValues(func() (dir string, err error) {
	if dir := os.Getenv(builtIn); dir != "" {
		return dir, nil
	}
	if dir, err = os.MkdirTemp("", "moderator-build-"); err != nil {
		return "", err
	}
	if err := os.Setenv(builtIn, dir); err != nil {
		return "", err
	}
	cmd := exec.Command("make", "--old-file=setup", "build", "BIN="+dir)
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w: %s", err, out)
	}
	return dir, nil
})
