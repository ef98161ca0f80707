package consumer

import (
	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/event"
)

type metrics struct {
	uploads    *prometheus.CounterVec
	retries    *prometheus.CounterVec
	duplicates prometheus.Counter
	// falseDuplicates are counted among duplicates too.
	falseDuplicates prometheus.Counter
	stages          *prometheus.HistogramVec
	batches         prometheus.Histogram
	inFlight        prometheus.Gauge
	heldBytes       prometheus.Gauge
	away            *prometheus.GaugeVec
}

// The stages of an upload's life that can fail and that are timed.
const (
	stageQueue   = "queue"
	stageFetch   = "fetch"
	stageDecode  = "decode"
	stageEmbed   = "embed"
	stageMatch   = "match"
	stagePublish = "publish"
	stageTotal   = "total"
)

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_uploads_total", Help: "Uploads decided, by verdict and reason.",
		}, []string{"verdict", "reason"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_upload_retries_total", Help: "Uploads given back to the stream for another delivery, by the stage that failed; of publish, decisions that are offered again.",
		}, []string{"stage"}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_duplicate_decisions_total", Help: "Decisions that the stream had already: the upload had been delivered again.",
		}),
		falseDuplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_false_duplicate_decisions_total", Help: "Decisions that the stream took for duplicates and does not have: each is offered again.",
		}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "moderator_stage_seconds", Help: "Time that an upload spends in each stage.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 17), // 0.5 ms to 33 s
		}, []string{"stage"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "moderator_batch_uploads", Help: "Uploads in a batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "moderator_inflight_uploads", Help: "Uploads pulled and not yet acknowledged.",
		}),
		heldBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "moderator_held_bytes", Help: "Bytes of uploads held in memory.",
		}),
		away: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "moderator_dependency_away", Help: "1 while a dependency is away, and no uploads are pulled; else 0.",
		}, []string{"dependency"}),
	}
	// A series that appears with its first event has no rate of it, and none at all after a restart.
	m.uploads.WithLabelValues(string(event.Block), string(event.Match))
	m.uploads.WithLabelValues(string(event.Review), string(event.Match))
	m.uploads.WithLabelValues(string(event.Allow), string(event.NoMatch))
	for _, stage := range []string{stageQueue, stageFetch, stageDecode, stageEmbed, stageMatch, stagePublish} {
		m.retries.WithLabelValues(stage)
	}
	m.away.WithLabelValues(natsName)
	reg.MustRegister(m.away, m.uploads, m.retries, m.duplicates, m.falseDuplicates, m.stages, m.batches, m.inFlight, m.heldBytes)
	return m
}

// observe records a stage's time, given in milliseconds as decisions have it.
func (m *metrics) observe(stage string, ms float64) {
	m.stages.WithLabelValues(stage).Observe(ms / 1000)
}
