package app

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/exchange"
	"moderator/internal/matchdb"
)

// startExchanges fetches exchanges in the background until stop is called, which waits for the pages in flight.
func startExchanges(ctx context.Context, c config.Run, db *matchdb.DB, allow []netip.Prefix, reg prometheus.Registerer, log *slog.Logger) (stop func()) {
	exchange.Register(reg, db)
	fetcher := &exchange.Fetcher{DB: db, Credentials: c.ExchangeCredentials, Allow: allow, Logger: log}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { fetcher.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
