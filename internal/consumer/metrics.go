package consumer

import (
	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/event"
)

type metrics struct {
	uploads    *prometheus.CounterVec
	shadow     *prometheus.CounterVec
	retries    *prometheus.CounterVec
	duplicates prometheus.Counter
	// falseDuplicates are counted in duplicates too.
	falseDuplicates prometheus.Counter
	stages          *prometheus.HistogramVec
	batches         prometheus.Histogram
	inFlight        prometheus.Gauge
	heldBytes       prometheus.Gauge
	away            *prometheus.GaugeVec
}

// Values of the label stage, and names of spans.
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
		shadow: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_shadow_matches_total", Help: "Uploads that a bank in shadow would have stopped, by bank and verdict.",
		}, []string{"bank", "verdict"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_upload_retries_total", Help: "Uploads nak'd for redelivery, by the stage that failed. With stage publish: decisions to be republished.",
		}, []string{"stage"}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_duplicate_decisions_total", Help: "Decisions of redelivered uploads that the stream had already.",
		}),
		falseDuplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_false_duplicate_decisions_total", Help: "Decisions that the stream reported as duplicates and does not have. Their uploads are redelivered.",
		}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "moderator_stage_seconds", Help: "Seconds that an upload spends in each stage.",
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
			Name: "moderator_dependency_away", Help: "1 while a dependency is away and no uploads are pulled, else 0.",
		}, []string{"dependency"}),
	}
	// rate() misses the first event of a series that appears with it, so that the series exist from the start.
	m.uploads.WithLabelValues(string(event.Block), string(event.Match))
	m.uploads.WithLabelValues(string(event.Review), string(event.Match))
	m.uploads.WithLabelValues(string(event.Allow), string(event.NoMatch))
	for _, stage := range []string{stageQueue, stageFetch, stageDecode, stageEmbed, stageMatch, stagePublish} {
		m.retries.WithLabelValues(stage)
	}
	m.away.WithLabelValues(natsName)
	reg.MustRegister(m.away, m.uploads, m.shadow, m.retries, m.duplicates, m.falseDuplicates, m.stages, m.batches, m.inFlight, m.heldBytes)
	return m
}

// observe records the time of a stage, in milliseconds as in decisions.
func (m *metrics) observe(stage string, ms float64) {
	m.stages.WithLabelValues(stage).Observe(ms / 1000)
}
