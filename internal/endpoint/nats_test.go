package endpoint_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"moderator/internal/config"
	"moderator/internal/endpoint"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// The error of a failed connection contains no password or token, and says what to correct.
func TestNATSErrors(t *testing.T) {
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: "ann", Password: "right", NoSigs: true})
	require.NoError(t, err)
	broker.Start()
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	require.True(t, broker.ReadyForConnections(time.Minute))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	require.NoError(t, l.Close())
	open := broker.Addr().String()

	for url, want := range map[string]string{
		"nats://ann:secret@" + open:                   "NATS at nats://" + open + ": nats: Authorization Violation: the server refused the login: correct the user",
		"nats://secret@" + open:                       "the server refused the login",
		"nats://ann:secret@" + closed:                 "NATS at nats://" + closed + ": nats: no servers available for connection: start a server there with JetStream, or correct --nats-url",
		"ann:secret@" + closed + ", secret@" + closed: "NATS at nats://" + closed + ",nats://" + closed + ": ",
		"nats://ann:1/secret@" + open:                 "--nats-url cannot be read, wanted nats://user:password@host:4222",
		"nats://ann:%secret@" + open:                  "--nats-url cannot be read, wanted nats://user:password@host:4222",
	} {
		_, err := endpoint.ConnectNATS(config.NATS{NATSURL: url}, "test", slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err = endpoint.ConnectNATS(config.NATS{NATSURL: "nats://" + open, NATSCreds: "/no/such.creds"}, "test", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "correct the path in --nats-creds")
}
