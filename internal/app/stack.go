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

// stack holds the servers of a moderator: embedded or configured.
type stack struct {
	nats        config.NATS
	databaseURL string
	embedded    []string // "postgres" and "nats", as far as they are embedded
	stops       []func(context.Context) error
	died        chan error // receives an error if an embedded server ends or fails; buffered for both
}

// stopTime bounds the shutdown of one embedded server.
const stopTime = 20 * time.Second

// startStack starts an embedded server for each URL that is not set.
func startStack(ctx context.Context, c config.Stack, natsListen string, log *slog.Logger) (*stack, error) {
	s := &stack{nats: c.NATS, databaseURL: c.DatabaseURL, died: make(chan error, 2)}
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
	if s.nats.NATSURL == "" {
		server, err := devstack.StartNATS(ctx, devstack.NATSOptions{
			StoreDir: filepath.Join(c.DataDir, "nats"), Listen: natsListen, Logger: log,
			Broken: func(why error) { s.died <- fmt.Errorf("the embedded NATS server: %w", why) },
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the embedded NATS server: %w: set another address with --nats-listen", err), s.stop(ctx))
		}
		s.nats.NATSURL = server.URL
		s.stops = append(s.stops, func(context.Context) error { server.Shutdown(); return nil })
		s.embedded = append(s.embedded, "nats")
		log.Info("nats", "embedded", server.URL)
	}
	return s, nil
}

// stop stops the embedded servers, the last started first, even if ctx is done.
func (s *stack) stop(ctx context.Context) error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		errs = append(errs, s.stops[i](bounded))
		cancel()
	}
	return errors.Join(errs...)
}

// makeDataDir creates the data folder. Other users may enter it, because Postgres runs as its own user.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("data folder %s: %w: choose another with --data-dir", dir, err)
	}
	return nil
}
