package devstack_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/testenv"
)

// A server with a full disk tells its owner. The next server has all that was stored, and stores again.
func TestNATSOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	fill, free := testenv.Disk(t, dir, 16<<20)
	broken := make(chan error, 1)
	options := devstack.NATSOptions{StoreDir: dir, Listen: "127.0.0.1:0", MaxStore: 1 << 40, Broken: func(err error) { broken <- err }}
	s := startNATS(t, options)
	nc, err := nats.Connect(s.URL)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "s", []byte("before"))
	require.NoError(t, err)

	fill()
	require.NoError(t, nc.Publish("s", make([]byte, 64<<10)))
	err = <-broken
	require.ErrorContains(t, err, "no space left on device")
	require.ErrorContains(t, err, dir+": ")
	require.ErrorContains(t, err, "make room")
	s.Shutdown()

	free()
	s = startNATS(t, options)
	nc, err = nats.Connect(s.URL)
	require.NoError(t, err)
	defer nc.Close()
	js, err = jetstream.New(nc)
	require.NoError(t, err)
	ack, err := js.Publish(t.Context(), "s", []byte("after"))
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "S")
	require.NoError(t, err)
	first, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "before", string(first.Data))
	require.EqualValues(t, 2, stream.CachedInfo().State.Msgs)
	require.EqualValues(t, 2, ack.Sequence)
	require.Empty(t, broken)
}
