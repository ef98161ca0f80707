package embed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// loadEnv makes the test binary load a library and print the result, because a process loads only one library.
const loadEnv = "EMBED_TEST_LOAD"

// loadElsewhere runs loadLibrary in another process, in dir and with the environment's library.
func loadElsewhere(t *testing.T, dir, setting, environment string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLoadLibraryHere$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), loadEnv+"="+setting, LibraryEnv+"="+environment)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	_, after, ok := strings.Cut(string(out), loadEnv+": ")
	require.True(t, ok, string(out))
	line, _, _ := strings.Cut(after, "\n")
	return line
}

func TestLoadLibraryHere(t *testing.T) {
	setting, ok := os.LookupEnv(loadEnv)
	if !ok {
		t.Skip("it runs in a process that another test starts")
	}
	path, version, err := loadLibrary(setting)
	if err != nil {
		path = err.Error()
	}
	fmt.Printf("%s: %s %s\n", loadEnv, path, version)
}

func TestLoadLibrarySearches(t *testing.T) {
	installed := testenv.ONNXRuntime(t)
	require.Contains(t, loadElsewhere(t, t.TempDir(), installed, "/nowhere.so"), installed+" 1.")
	require.Contains(t, loadElsewhere(t, t.TempDir(), "", installed), installed+" 1.")

	root := t.TempDir()
	below := filepath.Join(root, "a", "b")
	cache := filepath.Join(root, ".cache", "onnxruntime")
	require.NoError(t, os.MkdirAll(below, 0o755))
	require.NoError(t, os.MkdirAll(cache, 0o755))
	require.NoError(t, os.Symlink(installed, filepath.Join(cache, "libonnxruntime.so.1")))
	require.Contains(t, loadElsewhere(t, below, "", ""), filepath.Join(cache, "libonnxruntime.so.1")+" 1.")
}

func TestLoadLibraryRefuses(t *testing.T) {
	const remedy = ": run `make setup`, or set MODERATOR_ONNXRUNTIME_LIB to a libonnxruntime of version 1.24 or later"
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	require.NoError(t, os.WriteFile(text, []byte("no library"), 0o600))
	old := compile(t, dir, "old", `
		static const void *api(unsigned version) { (void)version; return 0; }
		static const char *version(void) { return "1.17.0"; }
		static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = {api, version};
		const void *OrtGetApiBase(void) { return &base; }`)
	other := compile(t, dir, "other", `int other(void) { return 0; }`)

	require.Equal(t, "the setting names the ONNX Runtime library /nowhere.so, which does not exist"+remedy+" ", loadElsewhere(t, dir, "/nowhere.so", ""))
	require.Equal(t, "MODERATOR_ONNXRUNTIME_LIB names the ONNX Runtime library /nowhere.so, which does not exist"+remedy+" ", loadElsewhere(t, dir, "", "/nowhere.so"))
	require.Equal(t, "ONNX Runtime "+old+" is older than 1.24"+remedy+" ", loadElsewhere(t, dir, old, ""))
	require.Equal(t, other+" is not the ONNX Runtime library"+remedy+" ", loadElsewhere(t, dir, other, ""))
	require.Regexp(t, "^ONNX Runtime "+text+" does not load: .*"+remedy, loadElsewhere(t, dir, text, ""))
	if message := loadElsewhere(t, dir, "", ""); !strings.Contains(message, ".so.1 1.") { // the system may have one
		require.Equal(t, "there is no ONNX Runtime library beside the program, in .cache/onnxruntime or on the system"+remedy+" ", message)
	}
}

func TestLoadLibraryOnlyOnce(t *testing.T) {
	installed := testenv.ONNXRuntime(t)
	path, version, err := loadLibrary(installed)
	require.NoError(t, err)
	again, _, err := loadLibrary("")
	require.NoError(t, err)
	require.Equal(t, path, again)
	require.Regexp(t, `^1\.\d+\.\d+`, version)
	_, _, err = loadLibrary("/another.so")
	require.EqualError(t, err, "ONNX Runtime /another.so: this process has already loaded "+path+": use one library for all models")
}

// Telemetry is off before the library runs its first instruction, whatever the environment says.
func TestTelemetryIsOffBeforeTheLibraryLoads(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	library := compile(t, t.TempDir(), "loaded", `
		#include <stdio.h>
		#include <stdlib.h>
		__attribute__((constructor)) static void loaded(void) {
			FILE *file = fopen("`+told+`", "w");
			const char *value = getenv("ORT_DISABLE_TELEMETRY");
			fputs(value ? value : "unset", file);
			fclose(file);
		}`)
	for _, environment := range []string{"", "0"} {
		t.Setenv("ORT_DISABLE_TELEMETRY", environment)
		require.Contains(t, loadElsewhere(t, t.TempDir(), library, ""), "is not the ONNX Runtime library")
		value, err := os.ReadFile(told)
		require.NoError(t, err)
		require.Equal(t, "1", string(value))
		require.NoError(t, os.Remove(told))
	}
}

// compile makes a shared library of a few lines of C.
func compile(t *testing.T, dir, name, source string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler to make a library with")
	}
	file := filepath.Join(dir, name+".c")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	lib := filepath.Join(dir, "lib"+name+".so")
	out, err := exec.CommandContext(t.Context(), cc, "-shared", "-fPIC", "-o", lib, file).CombinedOutput()
	require.NoError(t, err, string(out))
	return lib
}
