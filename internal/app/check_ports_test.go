package app

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/endpoint"
)

// taken returns an address that is in use until t ends.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestCheckRefusesPortsThatAreTaken(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*config.Run)
		bad    []string
		good   []string
	}{
		"free":                 {func(*config.Run) {}, nil, []string{"--http-listen 127.0.0.1:0", "--nats-listen 127.0.0.1:0", "--console-listen 127.0.0.1:0"}},
		"HTTP":                 {func(c *config.Run) { c.HTTPListen = taken(t) }, []string{"set another address with --http-listen"}, nil},
		"NATS":                 {func(c *config.Run) { c.NATSListen = taken(t) }, []string{"set another address with --nats-listen"}, nil},
		"NATS of one's own":    {func(c *config.Run) { c.NATSListen, c.NATSURL = taken(t), "nats://there" }, nil, nil},
		"HMA's API":            {func(c *config.Run) { c.HMAListen = taken(t) }, []string{"set another address with --hma-listen"}, nil},
		"console, which moves": {func(c *config.Run) { c.ConsoleListen = taken(t) }, nil, []string{"is in use, moderator will choose another port"}},
		"console":              {func(c *config.Run) { c.ConsoleListen, c.Console.Console = taken(t), "on" }, []string{"set another address with --console-listen"}, nil},
		"no console":           {func(c *config.Run) { c.ConsoleListen, c.Console.Console = taken(t), "off" }, nil, nil},
		"no address":           {func(c *config.Run) { c.HTTPListen = "8080" }, []string{"set another address with --http-listen"}, nil},
		"of a moderator that runs": {func(c *config.Run) {
			c.HTTPListen = taken(t)
			require.NoError(t, endpoint.WriteState(c.DataDir, endpoint.State{PID: os.Getpid(), HTTPURL: "http://" + c.HTTPListen}))
		}, nil, []string{"in use by the moderator that runs on "}},
	} {
		t.Run(name, func(t *testing.T) {
			var c config.Run
			c.DataDir, c.HTTPListen, c.NATSListen, c.ConsoleListen, c.Console.Console = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "auto"
			test.change(&c)
			var good, bad []string
			checkPorts(c, func(_, text string, err error) bool {
				if err != nil {
					bad = append(bad, err.Error())
				} else {
					good = append(good, text)
				}
				return err == nil
			})
			require.Len(t, bad, len(test.bad), "%v", bad)
			for i := range test.bad {
				require.Contains(t, bad[i], test.bad[i])
			}
			for _, want := range test.good {
				require.Contains(t, strings.Join(good, "\n"), want)
			}
		})
	}
}
