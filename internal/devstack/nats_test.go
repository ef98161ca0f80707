package devstack_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
)

func startNATS(t *testing.T, o devstack.NATSOptions) *devstack.NATS {
	s, err := devstack.StartNATS(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Shutdown)
	return s
}

func TestNATSKeepsWhatItStored(t *testing.T) {
	dir := t.TempDir()
	for start := range 2 {
		s := startNATS(t, devstack.NATSOptions{StoreDir: dir, Listen: "127.0.0.1:0", MaxStore: 1 << 30})
		nc, err := nats.Connect(s.URL)
		require.NoError(t, err)
		js, err := nc.JetStream()
		require.NoError(t, err)
		if start == 0 {
			_, err = js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
			require.NoError(t, err)
			_, err = js.Publish("s.big", make([]byte, 7<<20))
			require.NoError(t, err)
		}
		info, err := js.StreamInfo("S")
		require.NoError(t, err)
		require.EqualValues(t, 1, info.State.Msgs)
		nc.Close()
		s.Shutdown()
	}
}

func TestNATSDirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	startNATS(t, devstack.NATSOptions{StoreDir: dir, Listen: "127.0.0.1:0"})
	_, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: dir, Listen: "127.0.0.1:0"})
	require.ErrorIs(t, err, devstack.ErrInUse)
}

func TestNATSTakenPort(t *testing.T) {
	first := startNATS(t, devstack.NATSOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0"})
	listen := strings.TrimPrefix(first.URL, "nats://")
	_, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: listen})
	require.ErrorContains(t, err, "start NATS on "+listen)
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, "--nats-listen")
}

func TestNATSListenAddressIsChecked(t *testing.T) {
	for _, listen := range []string{"4222", "host:port", "127.0.0.1:70000", "127.0.0.1:-1"} {
		_, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: listen})
		require.ErrorContains(t, err, listen)
		require.ErrorContains(t, err, "want host:port")
	}
}

func TestNATSIsQuiet(t *testing.T) {
	var log bytes.Buffer
	s := startNATS(t, devstack.NATSOptions{
		StoreDir: t.TempDir(), Listen: "127.0.0.1:0",
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	s.Shutdown()
	require.Empty(t, log.String())
}
