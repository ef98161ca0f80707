package app

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/term"

	"moderator/internal/config"
	"moderator/internal/endpoint"
)

func newState(s *stack, httpURL, consoleURL, hmaURL string) endpoint.State {
	return endpoint.State{PID: os.Getpid(), NATSURL: s.nats.NATSURL, DatabaseURL: s.databaseURL, HTTPURL: httpURL, ConsoleURL: consoleURL, HMAURL: hmaURL}
}

// printNext prints what to type in another terminal. It prints to terminals only: elsewhere its output is stored with the
// log, which must not contain the console's token.
func printNext(w io.Writer, dataDir string, console *runningConsole) {
	if file, ok := w.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return
	}
	flagctl := "flagctl"
	if _, err := exec.LookPath(flagctl); err != nil {
		flagctl = beside(flagctl)
	}
	flag := ""
	if dataDir != config.DefaultDataDir() {
		flag = " --data-dir " + dataDir
	}
	fmt.Fprintf(w, `
moderator is ready. In another terminal:
  %[1]s%[2]s add picture.jpg          flag a picture
  %[1]s%[2]s submit picture.jpg       publish it as an upload and print its decision
  %[1]s%[2]s list                     list flags
Your pipeline publishes files to the NATS subject uploads.<anything> and reads decisions.>
Ctrl-C finishes the uploads in flight and stops.

`, flagctl, flag)
	printConsole(w, console)
}

// beside returns the path of a command in this binary's folder, relative to the working folder if that is shorter.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	path := filepath.Join(filepath.Dir(self), name)
	if here, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(here, path); err == nil && len(near) < len(path) {
			return near
		}
	}
	return path
}
