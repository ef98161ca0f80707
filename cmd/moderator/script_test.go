package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"moderator/internal/sandbox"
	"moderator/internal/testenv"
)

// tests runs the package's tests with their servers, unless this binary is a script's moderator.
type tests struct{ m *testing.M }

func (t tests) Run() int {
	shared := os.Getenv(builtIn) // by the parent of an isolated test's process, which deletes it
	code := testenv.Main(t.m)
	if dir := os.Getenv(builtIn); dir != shared {
		_ = os.RemoveAll(dir)
	}
	return code
}

// runAsMain is the environment variable that makes this binary the moderator.
const runAsMain = "TEST_RUN_AS_MODERATOR"

// builtIn is the environment variable that tells an isolated test's process where the built programs are.
const builtIn = "TEST_BUILT_IN"

func TestMain(m *testing.M) {
	if os.Getenv(runAsMain) != "" || len(os.Args) > 1 && os.Args[1] == sandbox.Argument {
		os.Exit(Main())
	}
	testscript.Main(tests{m}, map[string]func(){"moderator": func() { os.Exit(Main()) }})
}

// Each script has an empty database and a NATS server of its own.
func TestScripts(t *testing.T) {
	library := testenv.ONNXRuntime(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			t := env.T().(testing.TB)
			env.Setenv("DATABASE", testenv.Postgres(t))
			env.Setenv("NATS", testenv.NATS(t))
			env.Setenv("MODERATOR_ONNXRUNTIME_LIB", library)
			env.Setenv("MODERATOR_HTTP_LISTEN", "127.0.0.1:0")
			return nil
		},
	})
}
