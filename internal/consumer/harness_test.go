package consumer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"moderator/internal/dependency"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/testenv"
	"moderator/internal/verdict"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// The judges of these tests read what to do off the upload's bytes, so that each outcome can be asked for by name:
// "bad" cannot be decoded, "zero" has no vector, "flagged" is near a flagged picture, "slow" waits, anything else is near
// nothing. What ends with "known file" is flagged by its hash. The library cannot be asked about "poison". An object holds
// its name; its bucket is the size that it announces.
type judges struct {
	decodes    atomic.Int64
	fetches    atomic.Int64 // of objects, with room for them
	probes     atomic.Int64
	away       atomic.Value // the name of the dependency that is away
	embedFails atomic.Int64 // so many calls more fail
	matchFails atomic.Int64
	gate       chan struct{} // when not nil, a decode of "slow" waits for it
}

func (j *judges) Fetch(_ context.Context, u event.Upload, _ int64, reserve func(int64) bool) ([]byte, error) {
	if strings.HasPrefix(u.URL, "https://gone.example/") {
		return nil, &event.Unjudgeable{Reason: event.FetchFailed, Err: errors.New("404")}
	}
	if u.Object != nil {
		size, err := strconv.ParseInt(u.Object.Bucket, 10, 64)
		if err == nil && !reserve(size) {
			return nil, &event.NoRoom{Bytes: size}
		}
		j.fetches.Add(1)
		if strings.HasPrefix(u.Object.Name, "waiting") {
			<-j.gate
		}
		return []byte(u.Object.Name), j.reach("object_store")
	}
	return nil, errors.New("503")
}

// reach fails while a dependency is away.
func (j *judges) reach(name string) error {
	if j.away.Load() == name {
		return errors.New("no route to " + name)
	}
	return nil
}

func (j *judges) dependency(name string, restart bool) dependency.Dependency {
	return dependency.Dependency{Name: name, Restart: restart, Probe: func(context.Context) error {
		j.probes.Add(1)
		return j.reach(name)
	}}
}

type embedJudge struct{ *judges }

func (j embedJudge) Dependency() dependency.Dependency { return j.dependency("model", true) }

type matchJudge struct{ *judges }

func (j matchJudge) Dependency() dependency.Dependency { return j.dependency("postgres", false) }

// Dependency implements Fetcher.
func (j *judges) Dependency(u event.Upload) *dependency.Dependency {
	if u.Object == nil {
		return nil
	}
	d := j.dependency("object_store", false)
	return &d
}

func (j *judges) Decode(ctx context.Context, data []byte) (feature.Picture, error) {
	j.decodes.Add(1)
	switch {
	case bytes.HasPrefix(data, []byte("bad")):
		return feature.Picture{}, &event.Unjudgeable{Reason: event.Undecodable, Err: errors.New("no picture")}
	case bytes.HasPrefix(data, []byte("slow")) && j.gate != nil:
		select {
		case <-j.gate:
		case <-ctx.Done():
			return feature.Picture{}, ctx.Err()
		}
	}
	return feature.Picture{Format: "test", Width: 3, Height: 2, Views: []feature.View{{Crops: [][]byte{data}, Quality: 100}}}, nil
}

func (j *judges) Embed(_ context.Context, crops [][]byte) ([][]float32, error) {
	if j.embedFails.Add(-1) >= 0 {
		return nil, errors.New("device lost")
	}
	if err := j.reach("model"); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(crops))
	for i, crop := range crops {
		switch {
		case bytes.HasPrefix(crop, []byte("zero")):
		case bytes.HasPrefix(crop, []byte("flagged")):
			vectors[i] = []float32{1}
		default:
			vectors[i] = []float32{0}
		}
	}
	return vectors, nil
}

func (j *judges) Match(_ context.Context, uploads []feature.Query) ([][]verdict.Hit, error) {
	if j.matchFails.Add(-1) >= 0 {
		return nil, errors.New("connection refused")
	}
	review := 0.5
	if err := j.reach("postgres"); err != nil {
		return nil, err
	}
	hits := make([][]verdict.Hit, len(uploads))
	for i, u := range uploads {
		if bytes.HasPrefix(u.File, []byte("poison")) {
			return nil, errors.New("a query that fails")
		}
		if bytes.HasSuffix(u.File, []byte("known file")) {
			hits[i] = []verdict.Hit{{Signal: event.SignalExact, FlaggedID: "f2", Bank: "files", View: "original", Similarity: 1, Score: 1, BlockAt: 1}}
		}
		if len(u.Views) == 0 {
			continue
		}
		score := float64(u.Views[0].Vectors[0][0])
		hits[i] = append(hits[i], verdict.Hit{Signal: event.SignalEmbedding, FlaggedID: "f1", Bank: "spam", View: "original", Similarity: score, Score: score, BlockAt: 0.8, ReviewAt: &review})
	}
	return hits, nil
}

// bench is a JetStream server with the streams, and what runs on it.
type bench struct {
	t       *testing.T
	js      jetstream.JetStream
	nc      *nats.Conn
	judges  *judges
	cfg     Config
	durable jetstream.Consumer
	tracer  trace.Tracer // nil: no spans
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	return newBenchOn(t, testenv.NATS(t), 1, change)
}

// newBenchOn is newBench on the servers at url, with so many replicas of each stream.
func newBenchOn(t *testing.T, url string, replicas int, change func(*Config)) *bench {
	t.Helper()
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	cfg := Config{
		BatchSize: 4, BatchAge: 5 * time.Millisecond, Workers: 2, MaxUploadBytes: 1 << 20, MaxHeldBytes: 1 << 22,
		Attempts: 3, Backoff: 10 * time.Millisecond, AckWait: 2 * time.Second, Budget: time.Second, DrainTime: 5 * time.Second,
		Model: event.ModelInfo{Name: "test", Fingerprint: "f00d"},
	}
	if change != nil {
		change(&cfg)
	}
	var durable jetstream.Consumer
	require.Eventually(t, func() bool { // servers of a cluster have to elect a leader first
		durable, _, err = EnsureStreams(t.Context(), js, StreamOptions{
			Replicas: replicas, AckWait: cfg.AckWait, DuplicateWindow: time.Minute, KeepDecisions: time.Hour, MaxAckPending: 100,
		})
		return err == nil
	}, waitCluster, waitStep)
	return &bench{t: t, js: js, nc: nc, judges: &judges{}, cfg: cfg, durable: durable}
}

func (b *bench) consumer() *Consumer {
	b.t.Helper()
	c, err := New(b.cfg, Parts{
		JetStream: b.js, Durable: b.durable, Fetcher: b.judges, Decoder: b.judges, Embedder: embedJudge{b.judges}, Matcher: matchJudge{b.judges},
		Metrics: prometheus.NewRegistry(), Tracer: b.tracer, Logger: slog.New(slog.NewTextHandler(b.t.Output(), nil)),
	})
	require.NoError(b.t, err)
	return c
}

// start runs a consumer until stop is called, which returns what Run did.
func (b *bench) start() (stop func() error) {
	b.t.Helper()
	_, stop = b.startConsumer()
	return stop
}

// startConsumer is start, for tests that look into the consumer.
func (b *bench) startConsumer() (c *Consumer, stop func() error) {
	b.t.Helper()
	c = b.consumer()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	b.t.Cleanup(func() { _ = stop() })
	return c, stop
}

func (b *bench) publish(data string, headers ...string) {
	b.t.Helper()
	msg := nats.NewMsg("uploads.test")
	msg.Data = []byte(data)
	for i := 0; i < len(headers); i += 2 {
		msg.Header.Set(headers[i], headers[i+1])
	}
	_, err := b.js.PublishMsg(b.t.Context(), msg)
	require.NoError(b.t, err)
}

// decisions waits for n of them, and then a little for one too many.
func (b *bench) decisions(n int) []event.CloudEvent {
	b.t.Helper()
	stream, err := b.js.Stream(b.t.Context(), event.DecisionsStream)
	require.NoError(b.t, err)
	require.Eventually(b.t, func() bool { return b.count(event.DecisionsStream) >= n }, 20*time.Second, 5*time.Millisecond,
		"waiting for %d decisions", n)
	time.Sleep(50 * time.Millisecond)
	require.Equal(b.t, n, b.count(event.DecisionsStream))
	events := make([]event.CloudEvent, n)
	for i := range events {
		msg, err := stream.GetMsg(b.t.Context(), uint64(i+1))
		require.NoError(b.t, err)
		events[i], err = event.DecodeDecision(msg.Data)
		require.NoError(b.t, err)
		require.Equal(b.t, "decisions."+string(events[i].Data.Verdict), msg.Subject)
		require.Equal(b.t, events[i].ID, msg.Header.Get("Nats-Msg-Id"))
	}
	return events
}

func (b *bench) count(stream string) int {
	b.t.Helper()
	s, err := b.js.Stream(b.t.Context(), stream)
	require.NoError(b.t, err)
	return int(s.CachedInfo().State.Msgs)
}

// settled waits until every upload is acknowledged: the work queue is empty.
func (b *bench) settled() {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.count(event.UploadsStream) == 0 }, 20*time.Second, 5*time.Millisecond, "uploads are left")
}
