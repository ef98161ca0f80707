// Package testenv gives tests their real surroundings: the repository's root, the test data, the inference library, a
// private PostgreSQL cluster and JetStream servers. What a machine lacks skips the test and says how to get it.
//
// A package whose tests call Postgres has one line more, which stops its cluster and looks for leaked goroutines:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
package testenv

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Root returns the repository's root: the nearest folder above the test's with a go.mod.
func Root() string { return root() }

var root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("testenv: no go.mod above the working directory: run the tests inside the repository")
		}
		dir = parent
	}
})

// Data returns the folder of test data, $MODERATOR_TESTDATA or ../shared/testdata beside the repository, or skips t.
func Data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MODERATOR_TESTDATA")
	if dir == "" {
		dir = filepath.Join(Root(), "..", "shared", "testdata")
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Skipf("no test data in %s: set MODERATOR_TESTDATA to its folder", dir)
	}
	return dir
}

// ONNXRuntime returns the path of the inference library, $MODERATOR_ONNXRUNTIME_LIB or the one that `make setup` put
// into .cache, or skips t.
func ONNXRuntime(t testing.TB) string {
	t.Helper()
	path := os.Getenv("MODERATOR_ONNXRUNTIME_LIB")
	if path == "" {
		path = filepath.Join(Root(), ".cache", "onnxruntime", "libonnxruntime.so.1")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no ONNX Runtime at %s: run `make setup`, or set MODERATOR_ONNXRUNTIME_LIB", path)
	}
	return path
}
