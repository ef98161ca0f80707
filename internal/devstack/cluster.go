package devstack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxSocketPath is what fits into sockaddr_un on Linux: 108 bytes with the terminating zero.
const maxSocketPath = 107

// socketDir makes and returns the folder of the unix socket: in the cluster's directory, or, where the socket's path
// would be too long or holds a comma (which separates hosts in a connection URL), in the temporary folder under a name
// that says whose it is.
func socketDir(as runAs, dir string) (string, error) {
	socket := filepath.Join(dir, "run")
	if len(filepath.Join(socket, ".s.PGSQL."+port)) > maxSocketPath || strings.Contains(socket, ",") {
		sum := sha256.Sum256([]byte(dir))
		socket = filepath.Join(os.TempDir(), "moderator-postgres-"+hex.EncodeToString(sum[:6]))
	}
	if path := filepath.Join(socket, ".s.PGSQL."+port); len(path) > maxSocketPath {
		return "", fmt.Errorf("the socket's path %s is longer than %d bytes: choose a shorter --data-dir or TMPDIR",
			path, maxSocketPath)
	}
	return socket, as.own(socket)
}

// initialise runs initdb in data unless that was done before. It works in a folder beside it that is renamed when it is
// complete, so that an initdb that was interrupted leaves nothing that looks like a cluster.
func initialise(ctx context.Context, initdb string, as runAs, data string, volatile bool) error {
	if isFile(filepath.Join(data, "PG_VERSION")) {
		return nil
	}
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := as.own(fresh); err != nil {
		return err
	}
	args := []string{
		"--pgdata=" + fresh, "--username=" + superuser, "--encoding=UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=reject",
	}
	if volatile {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, initdb, args...)
	cmd.Dir = fresh
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential, Setpgid: true}
	if out, err := cmd.CombinedOutput(); ctx.Err() != nil {
		return fmt.Errorf("initdb: %w", ctx.Err())
	} else if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	if err := os.Remove(data); err != nil {
		return fmt.Errorf("%s holds files but no cluster: remove it or choose another --data-dir: %w", data, err)
	}
	return os.Rename(fresh, data)
}

// serverArgs is the server's command line. The memory is a laptop's: 1 GB shared, so that a large library stays there, of
// which the server takes what it uses; and 256 MB while an index is built, as migrations do.
func serverArgs(postgres, data, socket string, volatile bool) []string {
	args := []string{postgres, "-D", data}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", "")
	set("port", port)
	// The list's elements are comma-separated; quotes keep a comma or a blank of the path.
	set("unix_socket_directories", `"`+strings.ReplaceAll(socket, `"`, `""`)+`"`)
	set("unix_socket_permissions", "0700")
	set("max_connections", "100")
	set("shared_buffers", "1GB")
	set("maintenance_work_mem", "256MB")
	set("max_wal_size", "1GB")
	set("jit", "off")
	set("log_checkpoints", "off")
	set("log_destination", "stderr")
	set("logging_collector", "off")
	if volatile {
		set("fsync", "off")
		set("synchronous_commit", "off")
		set("full_page_writes", "off")
	}
	return args
}

// stopOrphan ends a server that still runs on data although its owner is gone (the owner's lock is ours by now) and
// waits for the last of its processes: two servers on one directory destroy it. Then it removes postmaster.pid, for a
// process that was given the old server's pid since would keep the new server from starting.
func stopOrphan(ctx context.Context, data string) error {
	pidFile := filepath.Join(data, "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	parent, _ := strconv.Atoi(strings.TrimSpace(first)) // 0, which is no server's, for a file that was cut short
	sig := syscall.SIGINT
	deadline := time.Now().Add(stopTimeout)
	for running := serversOn(data, parent); len(running) > 0; running = serversOn(data, parent) {
		if time.Now().After(deadline) {
			sig = syscall.SIGQUIT
		}
		// Its children end with it; those of a parent that was killed end on their own.
		if slices.Contains(running, parent) {
			if err := syscall.Kill(parent, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop the server (pid %d) that outlived its owner: %w", parent, err)
			}
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return fmt.Errorf("wait for the server (pids %v) that outlived its owner: %w", running, context.Cause(ctx))
		}
	}
	if err := os.Remove(pidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// tail returns the last lines of a log, at most 2 KB.
func tail(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return []byte(err.Error())
	}
	defer func() { _ = f.Close() }()
	const most = 2 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return bytes.TrimSpace(text)
}
