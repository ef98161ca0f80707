// Command flagctl keeps the library of flagged pictures that moderator compares uploads with.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"moderator/internal/flagctl"
)

func main() { os.Exit(Main()) }

// Main runs the command of the process's arguments and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := flagctl.Run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "flagctl: %v\n", err)
		return 1
	}
	return 0
}
