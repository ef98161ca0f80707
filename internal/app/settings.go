package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/fetch"
)

// settings returns the configurations of consumer and fetcher. Its error has all invalid settings, before anything starts.
func settings(c config.Run) (pace consumer.Config, fetching fetch.Config, err error) {
	pace = consumer.Config{
		BatchSize: c.BatchSize, BatchAge: c.BatchAge, Devices: len(c.Devices), Workers: orCPUs(c.DecodeWorkers),
		MaxUploadBytes: c.MaxUploadBytes, MaxHeldBytes: c.MaxHeldBytes,
		Attempts: c.Attempts, Backoff: c.RetryBackoff, AckWait: c.AckWait, Budget: c.BatchBudget, DrainTime: c.DrainTime, LogDecisions: c.LogDecisions,
	}
	fetching = fetch.Config{Hosts: c.FetchHosts, Buckets: c.FetchBuckets, Timeout: c.FetchTimeout, MaxRedirects: fetch.DefaultMaxRedirects}
	errs := []error{pace.Validate()}
	if c.QuarantineRate < 0 {
		errs = append(errs, fmt.Errorf("quarantine-rate is %d, wanted 0 or more uploads", c.QuarantineRate))
	}
	for _, text := range c.FetchAllowCIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("fetch-allow-cidr is %q, wanted a network such as 10.1.0.0/16", text))
			continue
		}
		fetching.AllowCIDRs = append(fetching.AllowCIDRs, prefix)
	}
	_, consoleErr := consoleConfig(c)
	_, addressErr := hmaAddress(c.HMAListen)
	_, keyErr := hmaKey(c.HMAKeyFile)
	errs = append(errs, fetching.Validate(), consoleErr, addressErr, keyErr)
	return pace, fetching, errors.Join(errs...)
}

// followHosts allows each list of hosts until stop is called.
func followHosts(ctx context.Context, hosts <-chan []string, fetcher *fetch.Fetcher, log *slog.Logger) (stop func()) {
	return Follow(ctx, hosts, func(_ context.Context, list []string) {
		if err := fetcher.AllowHosts(list); err != nil {
			log.Error("the hosts that uploads are fetched from stay as they were", "error", err)
		}
	})
}

// Follow calls do with each value, one after the other, until stop is called, which waits for the last call.
func Follow[T any](ctx context.Context, values <-chan T, do func(context.Context, T)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case value := <-values:
				do(ctx, value)
			}
		}
	})
	return func() { cancel(); following.Wait() }
}
