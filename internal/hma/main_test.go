package hma_test

import (
	"os"
	"testing"

	"moderator/internal/sandbox/sandboxtest"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) {
	sandboxtest.WorkIfStarted()
	os.Exit(testenv.Main(m))
}
