package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"moderator/internal/sandbox"
	"moderator/internal/testenv"
)

// tests runs the package's tests with their servers, where this binary is not a script's moderator.
type tests struct{ m *testing.M }

func (t tests) Run() int { return testenv.Main(t.m) }

// runAsMain makes this binary the moderator: for the processes that the tests start.
const runAsMain = "TEST_RUN_AS_MODERATOR"

func TestMain(m *testing.M) {
	if os.Getenv(runAsMain) != "" || len(os.Args) > 1 && os.Args[1] == sandbox.Argument {
		os.Exit(Main())
	}
	testscript.Main(tests{m}, map[string]func(){"moderator": func() { os.Exit(Main()) }})
}

// Each script has an empty database of its own, and a NATS server.
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
