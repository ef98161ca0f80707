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

func gauge(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"exchange"}, nil)
}

var (
	lastFetch = gauge("moderator_exchange_last_fetch_timestamp_seconds", "When a fetch of an enabled exchange last reached the source's end, in seconds since 1970; 0: never.")
	hashes    = gauge("moderator_exchange_hashes", "Hashes of an exchange's entries that the library holds.")
	refused   = gauge("moderator_exchange_refused_hashes", "Hashes and entries of an exchange that were not taken since its last whole fetch began.")
)

// Register registers gauges of the exchanges.
func Register(reg prometheus.Registerer, db *matchdb.DB) { reg.MustRegister(collector{db}) }

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{lastFetch, hashes, refused} {
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
	send := func(desc *prometheus.Desc, value float64, exchange string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, exchange)
	}
	for _, e := range all {
		send(hashes, float64(e.State.Hashes), e.Name)
		var sum int64
		for _, n := range e.State.Refused {
			sum += n
		}
		send(refused, float64(sum), e.Name)
		if !e.Enabled {
			continue
		}
		at := 0.0
		if e.State.FetchedAt != nil {
			at = float64(e.State.FetchedAt.UnixMilli()) / 1000
		}
		send(lastFetch, at, e.Name)
	}
}
