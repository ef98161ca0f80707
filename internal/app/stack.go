package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"moderator/internal/config"
	"moderator/internal/devstack"
)

// stack is the servers that a moderator works with: its own ones, or those that it was pointed to.
type stack struct {
	natsURL     string
	databaseURL string
	embedded    []string // which of the two are ours
	stops       []func(context.Context) error
	died        chan error // an embedded server that ended by itself, or can do no more; with room for both
}

// stopTime bounds the stop of one embedded server.
const stopTime = 20 * time.Second

// startStack starts the servers that no URL is given for.
func startStack(ctx context.Context, c config.Stack, natsListen string, log *slog.Logger) (*stack, error) {
	s := &stack{natsURL: c.NATSURL, databaseURL: c.DatabaseURL, died: make(chan error, 2)}
	if s.databaseURL == "" {
		pg, err := devstack.StartPostgres(ctx, devstack.PGOptions{DataDir: filepath.Join(c.DataDir, "postgres")})
		if err != nil {
			return nil, fmt.Errorf("start the embedded Postgres: %w", err)
		}
		s.databaseURL = pg.URL
		s.stops = append(s.stops, pg.Stop)
		s.embedded = append(s.embedded, "postgres")
		go func() { // ends with the cluster, which stop stops
			<-pg.Done()
			s.died <- fmt.Errorf("the embedded Postgres ended: %w: its log is %s", pg.Err(), pg.LogFile)
		}()
		log.Info("postgres", "embedded", pg.URL)
	}
	if s.natsURL == "" {
		server, err := devstack.StartNATS(ctx, devstack.NATSOptions{
			StoreDir: filepath.Join(c.DataDir, "nats"), Listen: natsListen, Logger: log,
			Broken: func(why error) { s.died <- fmt.Errorf("the embedded NATS server: %w", why) },
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the embedded NATS server: %w: another address is set by --nats-listen", err), s.stop(ctx))
		}
		s.natsURL = server.URL
		s.stops = append(s.stops, func(context.Context) error { server.Shutdown(); return nil })
		s.embedded = append(s.embedded, "nats")
		log.Info("nats", "embedded", server.URL)
	}
	return s, nil
}

// stop ends the embedded servers, the last started first, also where ctx is done.
func (s *stack) stop(ctx context.Context) error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		errs = append(errs, s.stops[i](bounded))
		cancel()
	}
	return errors.Join(errs...)
}

// makeDataDir makes the data folder; others may pass through it, as Postgres runs as a user of its own.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("data folder %s: %w: choose another with --data-dir", dir, err)
	}
	return nil
}
