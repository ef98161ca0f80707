package exchange

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/matchdb"
)

// collector measures the exchanges at each scrape, from the library: every moderator tells the same.
type collector struct{ db *matchdb.DB }

const scrapeTimeout = 3 * time.Second

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"exchange"}, labels...), nil)
}

var (
	lastFetch = gauge("moderator_exchange_last_fetch_timestamp_seconds", "When a fetch of an enabled exchange last reached the source's end, in seconds since 1970; 0: never.")
	failed    = gauge("moderator_exchange_failed", "1 if the last fetch of an enabled exchange failed.")
	hashes    = gauge("moderator_exchange_hashes", "Hashes of an exchange's entries that the library holds.")
	refused   = gauge("moderator_exchange_refused_hashes", "Hashes and entries that were not taken since the last whole fetch began, by reason.", "reason")
)

// Register registers gauges of the exchanges.
func Register(reg prometheus.Registerer, db *matchdb.DB) { reg.MustRegister(collector{db}) }

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{lastFetch, failed, hashes, refused} {
		out <- desc
	}
}

// Collect implements prometheus.Collector. It leaves out what it cannot read in time.
func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout) // a scrape has no context
	defer cancel()
	all, err := c.db.Exchanges(ctx)
	if err != nil {
		return // moderator_state_errors_total counts a library that cannot be read
	}
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, e := range all {
		send(hashes, float64(e.State.Hashes), e.Name)
		for reason, n := range e.State.Refused {
			send(refused, float64(n), e.Name, reason)
		}
		if !e.Enabled {
			continue
		}
		at, broken := 0.0, 0.0
		if e.State.FetchedAt != nil {
			at = float64(e.State.FetchedAt.UnixMilli()) / 1000
		}
		if e.State.FailedAt != nil {
			broken = 1
		}
		send(lastFetch, at, e.Name)
		send(failed, broken, e.Name)
	}
}
