package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/devstack"
	"moderator/internal/recognise"
	"moderator/internal/synth"
)

// A base backup is taken while uploads flow, as docs/operations/backup.md says. Its server is lost and restored while uploads wait, and
// the moderator goes on: each upload has one decision, and copies of the flag are blocked.
func TestBaseBackupWhileUploadsFlow(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(dataDir(t))
	options := devstack.PGOptions{DataDir: filepath.Join(dir, "postgres")}
	require.NoError(t, os.Mkdir(options.DataDir, 0o755))
	server, err := devstack.StartPostgres(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	_, err = recognise.Migrate(t.Context(), config.Stack{DatabaseURL: server.URL}, config.Model{}, "")
	require.NoError(t, err)
	r := start(t, filepath.Join(dir, "data"), "--database-url", server.URL)
	r.flagFirst()
	js := r.jetStream()

	backup := filepath.Join(options.DataDir, "backup")
	done := make(chan error, 1)
	copying := baseBackup(t, server.URL, options.DataDir, backup)
	go func() { done <- copying.Run() }()
	sent, taken := 0, false
	for !taken {
		someUploads(t, js, 4)
		sent += 4
		r.decided(js, sent, 2*time.Minute)
		select {
		case err := <-done:
			require.NoError(t, err)
			taken = true
		default:
		}
	}
	late := write(t, "late.jpg", encode(t, synth.Draw(1, 2, 640, 480), 90))
	_, err = r.flagctl("add", late)
	require.NoError(t, err)

	require.NoError(t, server.Stop(t.Context()))
	someUploads(t, js, 12)
	sent += 12
	data := filepath.Join(options.DataDir, "data")
	require.NoError(t, os.Rename(data, data+".lost"))
	require.NoError(t, os.Rename(backup, data))
	server, err = devstack.StartPostgres(t.Context(), options)
	require.NoError(t, err)
	r.settled(js, sent)

	flags, err := r.flagctl("list", "--count")
	require.NoError(t, err)
	require.JSONEq(t, `{"flags": 1}`, flags, "what was flagged after the backup is lost")
	_, err = r.flagctl("verify", "--sample", "10")
	require.NoError(t, err)
	check := exec.Command(os.Args[0], "check", "--database-url", server.URL, "--nats-url", r.state.NATSURL, "--http-listen", "127.0.0.1:0")
	check.Env = r.cmd.Env
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "1 embeddings, 1 PDQ hashes and the keypoints of 1 flags take about 0 MB")
	require.NoError(t, r.signal(syscall.SIGTERM))
}

// baseBackup is the command that copies a running server into a folder, as the user that owns the server's files.
func baseBackup(t *testing.T, url, dir, to string) *exec.Cmd {
	bin, err := devstack.FindPostgres()
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "data"))
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(t, os.Mkdir(to, 0o700))
	require.NoError(t, os.Chown(to, int(owner.Uid), int(owner.Gid)))
	command := exec.Command(filepath.Join(bin, "pg_basebackup"), "--dbname="+url, "--pgdata="+to, "--wal-method=stream", "--checkpoint=fast")
	command.Dir, command.Stdout, command.Stderr = to, t.Output(), t.Output()
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	return command
}
