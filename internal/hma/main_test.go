package hma_test

import (
	"fmt"
	"os"
	"testing"

	"moderator/internal/sandbox"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sandbox.Argument { // the server under test starts this binary to decode
		if err := sandbox.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testenv.Main(m))
}
