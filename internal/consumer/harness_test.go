package consumer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
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

// fakes implement Fetcher, Decoder, Embedder and Matcher. The upload's bytes choose the outcome:
//
//	bad…         cannot be decoded
//	zero…        has no vector
//	flagged…     is near a flag
//	slow…        waits for gate while it is decoded
//	poison…      fails every match of its batch
//	…known file  is flagged by its hash
//	else         is near no flag
//
// The content of an object is its name. Its announced size is its bucket's name.
type fakes struct {
	matches    sync.Map // *atomic.Int64 by verdict and flag
	decodes    atomic.Int64
	fetches    atomic.Int64 // of objects that were admitted
	probes     atomic.Int64
	away       atomic.Value // the name of the dependency that is away
	embedFails atomic.Int64 // number of further calls that fail
	matchFails atomic.Int64
	gate       chan struct{} // nil: "slow" does not wait
}

func (j *fakes) Fetch(_ context.Context, u event.Upload, _ int64, reserve func(int64) bool) ([]byte, error) {
	if strings.HasPrefix(u.URL, "https://gone.example/") {
		return nil, &event.Unjudgeable{Reason: event.FetchFailed, Err: errors.New("404")}
	}
	if u.Object != nil {
		size, err := strconv.ParseInt(u.Object.Bucket, 10, 64)
		if err == nil && !reserve(size) {
			return nil, &event.NotAdmitted{Bytes: size}
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
func (j *fakes) reach(name string) error {
	if j.away.Load() == name {
		return errors.New("no route to " + name)
	}
	return nil
}

func (j *fakes) dependency(name string, restart bool) dependency.Dependency {
	return dependency.Dependency{Name: name, Restart: restart, Probe: func(context.Context) error {
		j.probes.Add(1)
		return j.reach(name)
	}}
}

type fakeEmbedder struct{ *fakes }

func (j fakeEmbedder) Dependency() dependency.Dependency { return j.dependency("model", true) }

type fakeMatcher struct{ *fakes }

func (j fakeMatcher) Dependency() dependency.Dependency { return j.dependency("postgres", false) }

// Dependency implements Fetcher.
func (j *fakes) Dependency(u event.Upload) *dependency.Dependency {
	if u.Object == nil {
		return nil
	}
	d := j.dependency("object_store", false)
	return &d
}

func (j *fakes) Decode(ctx context.Context, data []byte) (feature.Picture, error) {
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

func (j *fakes) Embed(_ context.Context, crops [][]byte) ([][]float32, error) {
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

// ObserveMatch implements MatchObserver.
func (j *fakes) ObserveMatch(d event.Decision) {
	n, _ := j.matches.LoadOrStore(string(d.Verdict)+" "+d.Match.FlaggedID, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (j *fakes) blocked(flag string) int64 {
	n, ok := j.matches.Load("block " + flag)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

func (j *fakes) Match(_ context.Context, uploads []feature.Query) ([][]verdict.Hit, error) {
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
		if bytes.HasSuffix(u.File, []byte("in shadow")) {
			hits[i] = []verdict.Hit{{Signal: event.SignalExact, FlaggedID: "f3", Bank: "trial", View: "original", Similarity: 1, Score: 1, BlockAt: 1, Shadow: true}}
		}
		if len(u.Views) == 0 {
			continue
		}
		score := float64(u.Views[0].Vectors[0][0])
		hits[i] = append(hits[i], verdict.Hit{Signal: event.SignalEmbedding, FlaggedID: "f1", Bank: "spam", View: "original", Similarity: score, Score: score, BlockAt: 0.8, ReviewAt: &review})
	}
	return hits, nil
}

// harness is a JetStream server with both streams, and the consumers that run on it.
type harness struct {
	t       *testing.T
	js      jetstream.JetStream
	nc      *nats.Conn
	fakes   *fakes
	cfg     Config
	durable jetstream.Consumer
	tracer  trace.Tracer // nil: no spans
	stops   []func() error
	stored  int // decisions that the test has waited for
}

func newHarness(t *testing.T, change func(*Config)) *harness {
	t.Helper()
	return newHarnessOn(t, testenv.NATS(t), 1, change)
}

// newHarnessOn is newHarness on the servers at url. replicas is the number of replicas of each stream.
func newHarnessOn(t *testing.T, url string, replicas int, change func(*Config)) *harness {
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
	require.Eventually(t, func() bool { // a cluster has to elect a leader first
		durable, _, err = EnsureStreams(t.Context(), js, StreamOptions{
			Replicas: replicas, AckWait: cfg.AckWait, DuplicateWindow: time.Minute, KeepDecisions: time.Hour, MaxAckPending: 100,
		})
		return err == nil
	}, waitCluster, waitStep)
	return &harness{t: t, js: js, nc: nc, fakes: &fakes{}, cfg: cfg, durable: durable}
}

func (h *harness) consumer() *Consumer {
	h.t.Helper()
	c, err := New(h.cfg, Parts{
		JetStream: h.js, Durable: h.durable, Fetcher: h.fakes, Decoder: h.fakes, Embedder: fakeEmbedder{h.fakes}, Matcher: fakeMatcher{h.fakes},
		Matches: []MatchObserver{h.fakes}, Metrics: prometheus.NewRegistry(), Tracer: h.tracer, Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
	})
	require.NoError(h.t, err)
	return c
}

// start runs a consumer until stop is called. stop returns the result of Run.
func (h *harness) start() (stop func() error) {
	h.t.Helper()
	_, stop = h.startConsumer()
	return stop
}

// startConsumer is start for tests that look into the consumer.
func (h *harness) startConsumer() (c *Consumer, stop func() error) {
	h.t.Helper()
	c = h.consumer()
	ctx, cancel := context.WithCancel(h.t.Context())
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
	h.t.Cleanup(func() { _ = stop() })
	h.stops = append(h.stops, stop)
	return c, stop
}

func (h *harness) publish(data string, headers ...string) {
	h.t.Helper()
	msg := nats.NewMsg("uploads.test")
	msg.Data = []byte(data)
	for i := 0; i < len(headers); i += 2 {
		msg.Header.Set(headers[i], headers[i+1])
	}
	_, err := h.js.PublishMsg(h.t.Context(), msg)
	require.NoError(h.t, err)
}

// decisions waits for n decisions and returns them. When the test ends, it stops the consumers and fails if there are more.
func (h *harness) decisions(n int) []event.CloudEvent {
	h.t.Helper()
	if h.stored == 0 {
		h.t.Cleanup(h.checkNoFurtherDecision)
	}
	h.stored = n
	stream, err := h.js.Stream(h.t.Context(), event.DecisionsStream)
	require.NoError(h.t, err)
	require.Eventually(h.t, func() bool { return h.count(event.DecisionsStream) >= n }, waitLong, waitStep, "waiting for %d decisions", n)
	require.Equal(h.t, n, h.count(event.DecisionsStream))
	events := make([]event.CloudEvent, n)
	for i := range events {
		msg, err := stream.GetMsg(h.t.Context(), uint64(i+1))
		require.NoError(h.t, err)
		events[i], err = event.DecodeDecision(msg.Data)
		require.NoError(h.t, err)
		require.Equal(h.t, "decisions."+string(events[i].Data.Verdict), msg.Subject)
		require.Equal(h.t, events[i].ID, msg.Header.Get("Nats-Msg-Id"))
	}
	return events
}

func (h *harness) checkNoFurtherDecision() {
	for _, stop := range h.stops {
		require.NoError(h.t, stop())
	}
	require.Equal(h.t, h.stored, h.count(event.DecisionsStream), "decisions after the test and a shutdown")
}

func (h *harness) count(stream string) int {
	h.t.Helper()
	s, err := h.js.Stream(context.WithoutCancel(h.t.Context()), stream) // also in a cleanup, after the test's context
	require.NoError(h.t, err)
	return int(s.CachedInfo().State.Msgs)
}

// settled waits until every upload is acknowledged.
func (h *harness) settled() {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.count(event.UploadsStream) == 0 }, waitLong, waitStep, "uploads are left")
}
