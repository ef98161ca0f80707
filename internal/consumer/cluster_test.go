package consumer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"moderator/internal/event"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

const (
	waitLong    = 30 * time.Second
	waitStep    = 10 * time.Millisecond
	waitCluster = 3 * time.Minute // until a leader is elected, on a busy machine
)

// cluster starts three servers that replicate to each other, and returns their URLs.
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
		require.True(t, s.ReadyForConnections(waitCluster))
		clients = append(clients, s.ClientURL())
	}
	return strings.Join(clients, ",")
}

// decided counts the stored decisions by id. It returns an error while the cluster elects a leader.
func decided(ctx context.Context, js jetstream.JetStream) (map[string]int, error) {
	stream, err := js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return nil, err
	}
	ids := map[string]int{}
	for i := range stream.CachedInfo().State.LastSeq {
		msg, err := stream.GetMsg(ctx, i+1)
		if err != nil {
			return nil, err
		}
		ids[msg.Header.Get(jetstream.MsgIDHeader)]++
	}
	return ids, nil
}

// The leaders of the streams and of the durable step down while uploads flow. Each upload gets one decision.
// Every step is repeated until a leader answers.
func TestLeaderChangeLosesNothing(t *testing.T) {
	const uploads, moves = 20, 2
	url := cluster(t)
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)

	h := newHarnessOn(t, url, 3, func(c *Config) { c.Attempts = 100 })
	stop := h.start()
	for i := range uploads {
		if i%(uploads/moves) == uploads/moves/2 {
			for _, what := range []string{"STREAM.LEADER.STEPDOWN." + event.UploadsStream, "STREAM.LEADER.STEPDOWN." + event.DecisionsStream, "CONSUMER.LEADER.STEPDOWN." + event.UploadsStream + "." + event.DurableName} {
				require.Eventually(t, func() bool { // there may be no leader at the moment
					answer, err := nc.Request("$JS.API."+what, nil, time.Second)
					return err == nil && strings.Contains(string(answer.Data), `"success":true`)
				}, waitCluster, waitStep, what)
			}
		}
		require.Eventually(t, func() bool { // the message id keeps a repeated upload single
			_, err := js.Publish(t.Context(), "uploads.test", fmt.Append(nil, "upload", i), jetstream.WithMsgID(fmt.Sprint("u", i)))
			return err == nil
		}, waitCluster, waitStep)
	}
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), event.UploadsStream)
		return err == nil && stream.CachedInfo().State.Msgs == 0 && stream.CachedInfo().State.LastSeq >= uploads
	}, waitCluster, 10*waitStep, "each is acknowledged")
	require.NoError(t, stop())

	var ids map[string]int
	require.Eventually(t, func() bool {
		ids, err = decided(t.Context(), js)
		return err == nil && len(ids) >= uploads
	}, waitCluster, 10*waitStep)
	require.Len(t, ids, uploads)
	for id, n := range ids {
		require.Equal(t, 1, n, "decisions of %s", id)
	}
}
