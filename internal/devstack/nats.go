package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// The defaults of NATSOptions.
const (
	DefaultNATSListen = "127.0.0.1:4222"
	DefaultMaxPayload = 8 << 20 // bytes; the most that NATS recommends
)

// NATSOptions are the options of a JetStream server in this process.
type NATSOptions struct {
	// StoreDir is the server's own directory, made if missing.
	StoreDir string
	// Listen is host:port. Empty: DefaultNATSListen. Port 0: any free one.
	Listen string
	// MaxPayload is the largest message in bytes. 0: DefaultMaxPayload.
	MaxPayload int32
	// MaxStore bounds all streams together, in bytes. 0: three quarters of the free disk, by the server's own count.
	MaxStore int64
	// Logger gets the server's warnings and errors, and its notices as debug lines. Nil: slog.Default().
	Logger *slog.Logger
	// Broken is called once when the server stops storing, such as on a full disk. Its argument says why. It must not block,
	// as it would block the server. The server does not store again, even when the disk has room, and publishers get no
	// answer: a new server on the same directory has all that was stored. Nil: the cause is only logged.
	Broken func(error)
}

// NATS is a running JetStream server.
type NATS struct {
	// URL connects a client.
	URL string

	server *server.Server
	lock   *os.File
}

// StartNATS starts the server and returns when JetStream is ready for clients. Errors: ErrInUse if another running process
// owns StoreDir, a malformed or taken address, or why the server gave up.
func StartNATS(ctx context.Context, o NATSOptions) (*NATS, error) {
	if o.Listen == "" {
		o.Listen = DefaultNATSListen
	}
	if o.MaxPayload == 0 {
		o.MaxPayload = DefaultMaxPayload
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(o.StoreDir)
	if err != nil {
		return nil, err
	}
	log := &natsLogger{log: o.Logger, fatal: make(chan string, 1), dir: o.StoreDir, broken: o.Broken}
	s, err := server.NewServer(&server.Options{
		ServerName: "moderator", Host: host, Port: port, NoSigs: true,
		JetStream: true, StoreDir: filepath.Join(o.StoreDir, "store"), JetStreamMaxStore: o.MaxStore,
		MaxPayload: o.MaxPayload,
	})
	if err == nil {
		s.SetLoggerV2(log, false, false, false)
		s.Start()
		err = waitNATS(ctx, s, log.fatal)
		if err != nil {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("start NATS on %s: %w", o.Listen, err)
	}
	return &NATS{URL: s.ClientURL(), server: s, lock: lock}, nil
}

func splitListen(listen string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("NATS listen address %q: want host:port, such as %s", listen, DefaultNATSListen)
	}
	if host == "" {
		host = "127.0.0.1" // without a host the server takes every interface, which has to be given as 0.0.0.0
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// waitNATS returns nil when the server is ready. The server only logs a fatal error and runs on, so waitNATS reads the log.
func waitNATS(ctx context.Context, s *server.Server, fatal <-chan string) error {
	for {
		ready := s.ReadyForConnections(50*time.Millisecond) && s.JetStreamEnabled()
		select {
		case why := <-fatal:
			return fmt.Errorf("%s (is the port taken? choose another with --nats-listen)", why)
		case <-ctx.Done():
			return errors.Join(errors.New("the server is not ready"), context.Cause(ctx))
		default:
		}
		if ready {
			return nil
		}
	}
}

// Shutdown stops the server and waits until its files are closed. A second call does nothing.
func (n *NATS) Shutdown() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
	_ = n.lock.Close()
}
