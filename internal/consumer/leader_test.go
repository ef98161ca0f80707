package consumer

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

const (
	waitLong = 30 * time.Second
	waitStep = 10 * time.Millisecond
)

// cluster starts three servers that replicate to each other, and returns their addresses.
func cluster(t *testing.T) (urls string) {
	const size = 3
	ports := make([]int, size)
	var routes []string
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ports[i] = l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
	}
	var clients []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")),
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		require.True(t, s.ReadyForConnections(waitLong))
		clients = append(clients, s.ClientURL())
	}
	return strings.Join(clients, ",")
}

// While uploads flow, the streams and the durable move to other servers: each upload has one decision all the same.
func TestMovedLeaderLosesNothing(t *testing.T) {
	const uploads, moves = 20, 2
	url := cluster(t)
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // the servers elect a leader, and know each other
		probe := jetstream.StreamConfig{Name: "PROBE", Subjects: []string{"probe"}, Replicas: 3}
		_, err := js.CreateOrUpdateStream(t.Context(), probe)
		return err == nil
	}, waitLong, 10*waitStep)

	b := newBenchOn(t, url, 3, func(c *Config) { c.Attempts = 100 })
	b.start()
	for i := range uploads {
		if i%(uploads/moves) == uploads/moves/2 {
			for _, what := range []string{"STREAM.LEADER.STEPDOWN." + UploadsStream, "STREAM.LEADER.STEPDOWN." + DecisionsStream, "CONSUMER.LEADER.STEPDOWN." + UploadsStream + "." + DurableName} {
				require.Eventually(t, func() bool { // there may be none at the moment
					answer, err := nc.Request("$JS.API."+what, nil, time.Second)
					return err == nil && strings.Contains(string(answer.Data), `"success":true`)
				}, waitLong, waitStep, what)
			}
		}
		require.Eventually(t, func() bool { // a publisher tries until its upload is stored, by an id that counts once
			_, err := js.Publish(t.Context(), "uploads.test", fmt.Append(nil, "upload", i), jetstream.WithMsgID(fmt.Sprint("u", i)))
			return err == nil
		}, waitLong, waitStep)
	}
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), UploadsStream)
		return err == nil && stream.CachedInfo().State.Msgs == 0 && stream.CachedInfo().State.LastSeq >= uploads
	}, 2*waitLong, 10*waitStep)

	judged := map[string]int{}
	for _, e := range b.decisions(uploads) {
		judged[e.ID]++
	}
	require.Len(t, judged, uploads, "each upload once")
}
