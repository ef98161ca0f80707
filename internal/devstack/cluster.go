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

// maxSocketPath is the longest path of a Unix socket on Linux: sockaddr_un has 108 bytes with the terminating zero.
const maxSocketPath = 107

// socketDir makes and returns the folder of the Unix socket. It is in the cluster's directory, unless the socket's path would
// be too long or hold a comma, which separates hosts in a connection URL. Then it is in the temporary folder, under a name
// that follows from the cluster's directory.
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

// initialise runs initdb for data, unless data holds a cluster. initdb works in a neighbouring folder, which is renamed when
// the cluster is complete. So an interrupted initdb leaves nothing that looks like a cluster.
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
		return fmt.Errorf("%s holds files but not a cluster: remove it or choose another --data-dir: %w", data, err)
	}
	return os.Rename(fresh, data)
}

// serverArgs returns the server's command line. Its memory suits a laptop: 1 GB shared, of which the server takes what it
// uses, so that a large library stays in memory; and 256 MB to build an index, as migrations do.
func serverArgs(postgres, data, socket string, volatile bool) []string {
	args := []string{postgres, "-D", data}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", "")
	set("port", port)
	// The setting is a comma-separated list: the quotes allow commas and blanks in the path.
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

// stopOrphan stops a server that still runs on data after its owner has ended, and waits for the last of its processes: two
// servers would destroy the directory. This process holds the owner's lock by now. Then it removes postmaster.pid: another
// process may have the old server's pid, which would keep the new server from starting.
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
	parent, _ := strconv.Atoi(strings.TrimSpace(first)) // 0 if the file was cut short: never a server's pid
	sig := syscall.SIGINT
	deadline := time.Now().Add(stopTimeout)
	for running := serversOn(data, parent); len(running) > 0; running = serversOn(data, parent) {
		if time.Now().After(deadline) {
			sig = syscall.SIGQUIT
		}
		// The children end with their parent; after a kill of the parent they end by themselves.
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

// tail returns the last lines of a log, up to 2 KB.
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
