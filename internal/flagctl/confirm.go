package flagctl

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// confirmation answers a question before a large change.
type confirmation struct {
	Yes bool `help:"Do not ask for confirmation."`
}

// ask asks at the terminal whether to do with all flags what verb says. Without a terminal it wants --yes. found says how many flags
// there are.
func (y confirmation) ask(c *cli, found, verb string) error {
	if y.Yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return fmt.Errorf("%s: --yes %ss them all", found, verb)
	}
	fmt.Fprintf(c.stderr, "%s: %s them all? [y/N] ", found, verb)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}
