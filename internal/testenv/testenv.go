// Package testenv gives tests what they run with: the repository's root, the test data, the inference library, a private
// PostgreSQL cluster and JetStream servers. If the machine lacks one, the test is skipped with a line that says how to get it.
//
// A package whose tests call Postgres needs a TestMain, which stops the cluster and finds leaked goroutines:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
package testenv

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Root returns the repository's root: the nearest folder with a go.mod, from the working directory upwards.
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

// Data returns the folder of test data: $MODERATOR_TESTDATA, or ../shared/testdata beside the repository. Without it, t is
// skipped.
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

// ONNXRuntime returns the path of the inference library: $MODERATOR_ONNXRUNTIME_LIB, or the library of `make setup` in
// .cache. Without it, t is skipped.
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
