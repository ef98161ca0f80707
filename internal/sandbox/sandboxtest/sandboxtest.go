// Package sandboxtest lets a test binary be the decode worker of the programs that it tests.
package sandboxtest

import (
	"fmt"
	"os"

	"moderator/internal/sandbox"
)

// WorkIfStarted runs the decode worker and exits, if this process was started as one. TestMain calls it first.
func WorkIfStarted() {
	if len(os.Args) < 2 || os.Args[1] != sandbox.Argument {
		return
	}
	if err := sandbox.Work(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
