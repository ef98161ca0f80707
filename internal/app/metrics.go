package app

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/telemetry"
	"moderator/internal/version"
)

// registerState registers metrics of the build, the models, the streams and the library.
func registerState(reg prometheus.Registerer, js jetstream.JetStream, db *matchdb.DB, models []*embed.Model, matchDevice string, log *slog.Logger) {
	telemetry.Info(reg, "moderator_build_info", "The version that runs.", prometheus.Labels{
		"version": version.Version, "commit": version.Commit, "go": runtime.Version(),
	})
	for _, model := range models {
		report := model.Report()
		telemetry.Info(reg, "moderator_model_info", "A model in use, with its execution provider and --match-device.", prometheus.Labels{
			"name": model.Folder().Name(), "fingerprint": model.Folder().Fingerprint(), "provider": report.Provider, "onnxruntime": report.Version,
			"match_device": matchDevice,
		})
	}
	state := &telemetry.State{
		Queue: func(ctx context.Context) (telemetry.Queue, error) { return queueState(ctx, js) },
		Library: func(ctx context.Context) (telemetry.Library, error) {
			return libraryState(ctx, db, models[0].Folder().Fingerprint())
		},
		Logger: log,
	}
	state.Register(reg)
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "moderator_library_read_timestamp_seconds",
		Help: "When the candidate index was last rebuilt, in seconds since 1970. Newer flags count too, but slow each search.",
	}, func() float64 { return float64(db.LastRead().UnixMilli()) / 1000 }))
}

func queueState(ctx context.Context, js jetstream.JetStream) (q telemetry.Queue, err error) {
	durable, err := js.Consumer(ctx, event.UploadsStream, event.DurableName)
	if err != nil {
		return q, err
	}
	info := durable.CachedInfo()
	q.Pending, q.AckPending = info.NumPending, info.NumAckPending
	uploads, err := js.Stream(ctx, event.UploadsStream)
	if err != nil {
		return q, err
	}
	decisions, err := js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return q, err
	}
	q.UploadsBytes, q.DecisionsBytes = uploads.CachedInfo().State.Bytes, decisions.CachedInfo().State.Bytes
	return q, nil
}

func libraryState(ctx context.Context, db *matchdb.DB, fingerprint string) (l telemetry.Library, err error) {
	stats, err := db.Stats(ctx)
	if err != nil {
		return l, err
	}
	l.Flags, l.Quarantined = stats.Flags, stats.Quarantined
	for _, model := range stats.Models {
		if model.Fingerprint == fingerprint {
			l.Embeddings = model.Embeddings
		}
	}
	newest, err := db.ListFlags(ctx, matchdb.FlagFilter{Limit: 1})
	if err == nil && len(newest) > 0 {
		l.LastFlag = newest[0].CreatedAt
	}
	return l, err
}

// flushTraces sends the remaining spans. It gives up after two seconds, so that a collector cannot delay the shutdown.
func flushTraces(ctx context.Context, stop func(context.Context) error, log *slog.Logger) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := stop(bounded); err != nil {
		log.Warn("could not send the last traces", "error", err)
	}
}
