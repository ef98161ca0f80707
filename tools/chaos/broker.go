package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"moderator/internal/child"
	"moderator/internal/devstack"
)

// serverCommand is the broker's process.
type serverCommand struct {
	Store  string `help:"Folder for the streams." required:""`
	Listen string `help:"Address." required:""`
}

// Run serves until ctx is done.
func (c *serverCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := devstack.StartNATS(ctx, devstack.NATSOptions{StoreDir: c.Store, Listen: c.Listen, Logger: log})
	if err != nil {
		return err
	}
	defer server.Shutdown()
	<-ctx.Done()
	return nil
}

// broker is the NATS server. Restarts keep its folder and port.
type broker struct {
	mu      sync.Mutex // held while it is down
	args    []string
	store   string // folder of the streams
	address string
	log     string
	process *child.Process
}

func newBroker(dir string) (*broker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	store := filepath.Join(dir, "nats")
	return &broker{
		store: store, address: address, log: filepath.Join(dir, "nats.log"),
		args: []string{self, "nats-server", "--store", store, "--listen", address},
	}, nil
}

// freeAddress finds a free port below those of outgoing connections, which could otherwise take the broker's port while it is
// down.
func freeAddress() (string, error) {
	const lowest, highest = 20000, 30000
	var err error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		var listener net.Listener
		if listener, err = net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("find a free port between %d and %d: %w", lowest, highest, err)
}

func (b *broker) url() string { return "nats://" + b.address }

// startTime is how long a server may take to answer.
const startTime = 2 * time.Minute

// start returns when the broker takes connections.
func (b *broker) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if b.process, err = startChild(b.log, b.args...); err != nil {
		return err
	}
	for {
		conn, err := net.Dial("tcp", b.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-b.process.Done():
			return fmt.Errorf("the broker ended at its start: %w: its log is %s", b.process.Err(), b.log)
		case <-ctx.Done():
			return fmt.Errorf("the broker does not answer: %w: its log is %s", err, b.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the broker, if it was started.
func (b *broker) stop() {
	if b.process != nil {
		stop(b.process, stopTime)
	}
}
