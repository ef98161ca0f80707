package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue is the state of both streams.
type Queue struct {
	Pending        uint64 // uploads not delivered yet
	AckPending     int    // uploads in flight of all moderators together
	UploadsBytes   uint64 // of the stream
	DecisionsBytes uint64
}

// Library is the size of the library.
type Library struct {
	Flags      int // active
	Embeddings int // of the model in use
	LastFlag   time.Time

	Quarantined int // flags that ask for review until somebody releases them
}

// State measures queue and library at each scrape. A scrape omits gauges that cannot be measured in time, so that they never
// show old values; moderator_state_errors_total counts such scrapes.
type State struct {
	Queue   func(context.Context) (Queue, error)
	Library func(context.Context) (Library, error)
	Logger  *slog.Logger

	failures *prometheus.CounterVec

	mu      sync.Mutex
	library Library
	counted time.Time
}

const (
	stateTimeout = 3 * time.Second // for all measurements: Prometheus waits ten seconds
	libraryAge   = 5 * time.Minute // between two counts of the library, which read every row
)

func gauge(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

var (
	pending        = gauge("moderator_consumer_pending_uploads", "Uploads in the stream that were not delivered yet: the consumer's lag.")
	ackPending     = gauge("moderator_consumer_unacknowledged_uploads", "Uploads delivered to any moderator and not acknowledged yet.")
	uploadsBytes   = gauge("moderator_uploads_stream_bytes", "Bytes of the uploads' stream.")
	decisionsBytes = gauge("moderator_decisions_stream_bytes", "Bytes of the decisions' stream.")
	flags          = gauge("moderator_library_flags", "Active flags of the library.")
	embeddings     = gauge("moderator_library_embeddings", "Embeddings of this moderator's model in the library.")
	quarantined    = gauge("moderator_quarantined_flags", "Flags in quarantine: they blocked very many uploads, and ask for review until somebody releases them.")
	lastFlag       = gauge("moderator_library_last_flag_timestamp_seconds", "When the newest active flag was created, in seconds since 1970. Absent in an empty library.")
)

// Register registers the gauges.
func (s *State) Register(reg prometheus.Registerer) {
	s.failures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "moderator_state_errors_total", Help: "Scrapes that could not measure the queue or the library.",
	}, []string{"source"})
	for _, source := range []string{"queue", "library"} {
		s.failures.WithLabelValues(source)
	}
	reg.MustRegister(s, s.failures)
}

// Describe implements prometheus.Collector.
func (s *State) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{pending, ackPending, uploadsBytes, decisionsBytes, flags, embeddings, quarantined, lastFlag} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (s *State) Collect(out chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, value float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout) // a scrape has no context
	defer cancel()
	if q, err := s.Queue(ctx); err != nil {
		s.failed("queue", err)
	} else {
		send(pending, float64(q.Pending))
		send(ackPending, float64(q.AckPending))
		send(uploadsBytes, float64(q.UploadsBytes))
		send(decisionsBytes, float64(q.DecisionsBytes))
	}
	if l, err := s.count(ctx); err != nil {
		s.failed("library", err)
	} else {
		send(flags, float64(l.Flags))
		send(embeddings, float64(l.Embeddings))
		send(quarantined, float64(l.Quarantined))
		if !l.LastFlag.IsZero() {
			send(lastFlag, float64(l.LastFlag.UnixMilli())/1000)
		}
	}
}

// count returns the library's last count, or a new one if that is older than libraryAge.
func (s *State) count(ctx context.Context) (Library, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.counted) < libraryAge {
		return s.library, nil
	}
	l, err := s.Library(ctx)
	if err == nil {
		s.library, s.counted = l, time.Now()
	}
	return l, err
}

func (s *State) failed(source string, err error) {
	s.failures.WithLabelValues(source).Inc()
	s.Logger.Debug("could not measure", "source", source, "error", err)
}

// Info registers a gauge with the value 1, for its labels.
func Info(reg prometheus.Registerer, name, help string, labels prometheus.Labels) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels})
	info.Set(1)
	reg.MustRegister(info)
}
