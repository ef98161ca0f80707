package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"moderator/internal/ask"
	"moderator/internal/config"
	"moderator/internal/console"
	"moderator/internal/consumer"
	"moderator/internal/endpoint"
	"moderator/internal/event"
	"moderator/internal/exchange"
	"moderator/internal/fetch"
	"moderator/internal/recognise"
	"moderator/internal/telemetry"
	"moderator/internal/version"
)

// Serve implements `moderator run`. It judges uploads until ctx is done, and then drains. With the embedded servers it
// prints to stdout what to type next. Each list of hosts replaces those that uploads may be fetched from.
func Serve(ctx context.Context, c config.Run, hosts <-chan []string, stdout io.Writer, log *slog.Logger) (err error) {
	defer func() {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // stopped during its start
		}
	}()
	pace, fetching, err := settings(c)
	if err != nil {
		return err
	}
	folders, err := recognise.Folders(c.Model)
	if err != nil {
		return err
	}
	if err := makeDataDir(c.DataDir); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var start starting
	start.begin("connects to its servers", stepTime, nil)
	web, err := listenHTTP(c.HTTPListen, start.handler(registry), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.stop(ctx)) }()
	servers, err := startStack(ctx, c.Stack, c.NATSListen, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop(ctx)) }()

	start.begin("opens the model", modelTime(c.Provider), nil)
	models, err := recognise.OpenModels(ctx, folders, c.Model, c.BatchSize, c.DataDir, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, recognise.CloseModels(models)) }()
	for i, model := range models {
		folders[i] = model.Folder() // an open model's folder knows its dimensions
	}
	known := recognise.ModelRecords(folders, log)
	matchDevice, err := openMatchDevice(ctx, c, log)
	if err != nil {
		return err
	}

	start.begin("opens the library", stepTime, nil)
	db, err := openLibrary(ctx, servers.databaseURL, c.DatabaseURL == "", known, log)
	if err != nil {
		return err
	}
	defer db.Close()
	keepOn(db, matchDevice)
	if err := readLibrary(ctx, db, known, c.Candidates, &start, log); err != nil {
		return err
	}
	start.begin("connects to the queue", stepTime, nil)

	nc, err := endpoint.ConnectNATS(servers.nats, "moderator", log)
	if err != nil {
		return err
	}
	defer closeNATS(nc)

	tracer, stopTracing, err := telemetry.Tracing(ctx, log)
	if err != nil {
		return err
	}
	defer flushTraces(ctx, stopTracing, log)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(c.BatchBudget)) // after which a decision is republished
	if err != nil {
		return err
	}
	fetcher, err := fetch.New(fetching, js)
	if err != nil {
		return err
	}
	defer fetcher.Close()
	stopFollowing := followHosts(ctx, hosts, fetcher, log)
	defer stopFollowing()
	pictures, err := startDecoder(folders, c, registry, log)
	if err != nil {
		return err
	}
	defer pictures.Pool.Close()

	durable, err := ensureStreams(ctx, c, js, log)
	if err != nil {
		return err
	}
	kept, err := recognise.StartRecent(ctx, db, folders[0], c.Lookback, registry, log)
	if err != nil {
		return err
	}
	defer kept.Stop()
	previews, err := console.StartPreviews(ctx, js, console.PreviewBucket{Name: c.Previews, Age: c.KeepDecisions, Replicas: c.StreamReplicas},
		recognise.ImageLimits(c.Limits), c.Sandbox, log)
	if err != nil {
		return err
	}
	defer previews.Stop()
	quarantine := recognise.StartQuarantine(ctx, db, c.QuarantineRate, log)
	defer quarantine.Stop()
	seen := exchange.StartSeen(ctx, db, log)
	defer seen.Stop()
	pace.Model = event.ModelInfo{Name: folders[0].Name(), Fingerprint: folders[0].Fingerprint()}
	judge, err := consumer.New(pace, consumer.Parts{
		Recent: recentOf(kept), Previews: previewsOf(previews), Matches: observers(quarantine, seen), JetStream: js, Durable: durable, Fetcher: fetcher, Metrics: registry, Tracer: tracer, Logger: log,
		Decoder: pictures, Embedder: recognise.Embedder(models), Matcher: recognise.NewMatcher(db, folders, c.Candidates, c.FalseBlocks),
	})
	if err != nil {
		return err
	}
	registerState(registry, js, db, models, matchDeviceName(matchDevice), log)
	asker := ask.New(judge.Judge, pace.MaxUploadBytes, requestsPerWorker*pace.Workers, registry)
	service, err := asker.Serve(ctx, nc, version.Semantic())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Stop()) }()
	web.replace(judgingHandler(probes{nc: nc, db: db, stuck: judge.Stuck, away: judge.Away}, asker, registry))
	defer func() { err = errors.Join(err, web.stop(ctx)) }()

	pages, err := startConsole(c, len(servers.embedded) == 2, consoleParts{previews: previews, js: js, db: db, fetcher: fetcher, model: models[0]}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pages.stop(ctx)) }()
	compatible, err := startHMA(c, db, fetcher, models[0], registry, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, compatible.stop(ctx)) }()
	stopExchanges := startExchanges(ctx, c, db, fetching.AllowCIDRs, registry, log)
	defer stopExchanges()
	state := newState(servers, web.url, pages.address(), compatible.url())
	if err := endpoint.WriteState(c.DataDir, state); err != nil {
		return fmt.Errorf("write the state file: %w", err)
	}
	defer func() { err = errors.Join(err, endpoint.RemoveState(c.DataDir)) }()
	log.Info("ready", "http", web.url, "uploads", event.UploadsSubject, "decisions", event.DecisionsSubject)
	if len(servers.embedded) == 2 {
		printNext(stdout, c.DataDir, pages)
	}
	return judgeUntil(ctx, judge, servers.died)
}

// requestsPerWorker bounds the concurrent requests of Judge for each decode worker. Each has its file in memory.
const requestsPerWorker = 8

// judgeUntil runs the consumer until ctx is done or an embedded server dies.
func judgeUntil(ctx context.Context, judge *consumer.Consumer, died <-chan error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case err := <-died:
			stop(err)
		case <-ctx.Done():
		}
	}()
	if err := judge.Run(ctx); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func ensureStreams(ctx context.Context, c config.Run, js jetstream.JetStream, log *slog.Logger) (jetstream.Consumer, error) {
	options := consumer.StreamOptions{
		Replicas: c.StreamReplicas, AckWait: c.AckWait, DuplicateWindow: c.DuplicateWindow, KeepDecisions: c.KeepDecisions,
		MaxAckPending: maxAckPending,
	}
	durable, created, err := consumer.EnsureStreams(ctx, js, options)
	if len(created) > 0 {
		log.Info("created", "what", created)
	}
	if err != nil {
		return nil, err
	}
	warnings, err := consumer.StreamWarnings(ctx, js, options)
	for _, warning := range warnings {
		log.Warn(warning)
	}
	return durable, err
}

// maxAckPending bounds the uploads in flight of all moderators together. Several moderators need less; more would be
// redelivered after a crash of all.
const maxAckPending = 4096

func orCPUs(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0) // Go sets it to the cgroup's quota
	}
	return n
}

// closeNATS flushes the connection, so that the last naks are sent, and closes it.
func closeNATS(nc *nats.Conn) {
	if nc.IsConnected() {
		_ = nc.FlushTimeout(2 * time.Second) // on failure, the uploads are redelivered after the ack wait
	}
	nc.Close()
}

// recentOf returns a nil interface for a nil pointer.
func recentOf(r *recognise.Recent) consumer.Recent {
	if r == nil {
		return nil
	}
	return r
}

// previewsOf returns a nil interface for a nil pointer.
func previewsOf(p *console.Previews) consumer.Previews {
	if p == nil {
		return nil
	}
	return p
}

// observers leaves out a nil pointer.
func observers(q *recognise.Quarantine, s *exchange.Seen) []consumer.MatchObserver {
	if q == nil {
		return []consumer.MatchObserver{s}
	}
	return []consumer.MatchObserver{q, s}
}
