package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/devstack"
	"moderator/internal/matchdb"
)

// maxUnstored is how many uploads may wait for the stream's acknowledgement. Of 64 with 12 MP, the server drops some with "too
// many requests".
const maxUnstored = 16

// servers are NATS and Postgres, each a process of its own, so that their CPU time is not counted as moderator's or a rival's.
type servers struct {
	natsURL     string
	databaseURL string
	nats        *exec.Cmd
	postgres    *devstack.Postgres
	postgresPID int
	nc          *nats.Conn
	js          jetstream.JetStream
	db          *matchdb.DB
}

func startServers(ctx context.Context, dir string) (_ *servers, err error) {
	s := &servers{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.postgres, err = devstack.StartPostgres(ctx, devstack.PGOptions{DataDir: filepath.Join(dir, "postgres")}); err != nil {
		return nil, err
	}
	s.databaseURL = s.postgres.URL
	if s.postgresPID, err = postmaster(filepath.Join(dir, "postgres", "data")); err != nil {
		return nil, err
	}
	if err := s.startNATS(filepath.Join(dir, "nats")); err != nil {
		return nil, err
	}
	if s.nc, err = nats.Connect(s.natsURL); err != nil {
		return nil, err
	}
	if s.js, err = jetstream.New(s.nc, jetstream.WithPublishAsyncMaxPending(maxUnstored)); err != nil {
		return nil, err
	}
	if _, _, err := matchdb.Migrate(ctx, s.databaseURL); err != nil {
		return nil, err
	}
	s.db, err = matchdb.Open(ctx, s.databaseURL)
	return s, err
}

// postmaster is the process of the Postgres server of the data folder.
func postmaster(dataDir string) (int, error) {
	file, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	return strconv.Atoi(first)
}

// startNATS starts this program again, as a NATS server.
func (s *servers) startNATS(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.nats = exec.Command(self, "--serve-nats", dir)
	s.nats.Stderr = os.Stderr
	s.nats.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said, err := s.nats.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.nats.Start(); err != nil {
		return err
	}
	url, err := bufio.NewReader(said).ReadString('\n')
	s.natsURL = strings.TrimSpace(url)
	if err != nil {
		return fmt.Errorf("the NATS server did not start: %w", err)
	}
	return nil
}

// serveNATS is the NATS server of startNATS. It prints its URL and serves until ctx is done.
func serveNATS(ctx context.Context, dir string, stdout io.Writer) error {
	server, err := devstack.StartNATS(ctx, devstack.NATSOptions{StoreDir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, server.URL)
	<-ctx.Done()
	server.Shutdown()
	return nil
}

func (s *servers) stop() {
	if s.db != nil {
		s.db.Close()
	}
	if s.nc != nil {
		s.nc.Close()
	}
	if s.nats != nil && s.nats.Process != nil {
		end(s.nats)
	}
	if s.postgres != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = s.postgres.Stop(ctx) // the run's folder is deleted
	}
}

// end stops a process with SIGTERM, and waits for it.
func end(cmd *exec.Cmd) error {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(45*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return nil // ended by the signal
	}
	return err
}
