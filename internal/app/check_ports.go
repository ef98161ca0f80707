package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"

	"moderator/internal/config"
	"moderator/internal/endpoint"
)

// checkPorts checks that moderator can listen on its addresses. A running moderator of the same data folder may use them.
func checkPorts(c config.Run, report func(name, good string, err error) bool) {
	running, _ := endpoint.ReadState(c.DataDir) // the zero state if none runs
	check := func(setting, address, ours string, mayMove bool) {
		good, err := fmt.Sprintf("--%s %s", setting, address), canListen(setting, address)
		if errors.Is(err, syscall.EADDRINUSE) {
			if u, wrong := url.Parse(ours); wrong == nil && u.Host == address {
				good, err = good+", in use by the moderator that runs on "+c.DataDir, nil
			} else if mayMove {
				good, err = good+" is in use, moderator will choose another port", nil
			}
		}
		report("listen", good, err)
	}
	check("http-listen", c.HTTPListen, running.HTTPURL, false)
	if c.NATSURL == "" {
		check("nats-listen", c.NATSListen, running.NATSURL, false)
	}
	if address, err := hmaAddress(c.HMAListen); err == nil && address != "" {
		check("hma-listen", address, running.HMAURL, false)
	}
	if consoleOn(c, c.NATSURL == "" && c.DatabaseURL == "") {
		check("console-listen", c.ConsoleListen, running.ConsoleURL, c.Console.Console == "auto")
	}
}

func canListen(setting, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w: set another address with --%s", address, err, setting)
	}
	return listener.Close()
}
