package app

import (
	"fmt"
	"io"
	"os"

	"moderator/internal/config"
)

func newState(s *stack, httpURL string) State {
	return State{PID: os.Getpid(), NATSURL: s.natsURL, DatabaseURL: s.databaseURL, HTTPURL: httpURL}
}

// printNext tells a newcomer what to type in another terminal.
func printNext(w io.Writer, dataDir string) {
	flag := ""
	if dataDir != config.DefaultDataDir() {
		flag = " --data-dir " + dataDir
	}
	fmt.Fprintf(w, `
moderator is ready. In another terminal:
  flagctl%[1]s add picture.jpg          flag a picture
  flagctl%[1]s submit picture.jpg       publish it as an upload, and see it decided
  flagctl%[1]s list                     what is flagged
Your pipeline publishes files to the NATS subject uploads.<anything> and reads decisions.>
Ctrl-C drains and stops.

`, flag)
}
