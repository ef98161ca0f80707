package matchdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	command "os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
)

// server is a PostgreSQL server of the test's own, which runs with further settings.
func server(t *testing.T, settings ...string) *devstack.Postgres {
	t.Helper()
	if _, err := devstack.FindPostgres(); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "matchdb-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	start := func() *devstack.Postgres {
		pg, err := devstack.StartPostgres(t.Context(), devstack.PGOptions{DataDir: dir, Volatile: true})
		require.NoError(t, err)
		return pg
	}
	pg := start()
	if len(settings) > 0 {
		for _, set := range settings {
			require.NoError(t, exec(t, pg.URL, "ALTER SYSTEM SET "+set))
		}
		require.NoError(t, pg.Stop(t.Context()))
		pg = start()
	}
	t.Cleanup(func() { require.NoError(t, pg.Stop(context.Background())) })
	return pg
}

// number is the next transaction's.
func number(t *testing.T, url string) (next uint64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").Scan(&next))
	return next
}

// burn uses up numbers of transactions until the next one is at least that.
func burn(t *testing.T, url string, until uint64) {
	t.Helper()
	for number(t, url) < until {
		require.NoError(t, exec(t, url, `DO $$ BEGIN CREATE TEMPORARY TABLE burnt (); FOR i IN 1..500 LOOP
			BEGIN INSERT INTO burnt DEFAULT VALUES; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; DROP TABLE burnt; END $$`))
	}
}

// client runs a program of PostgreSQL's.
func client(t *testing.T, name string, args ...string) {
	t.Helper()
	bin, err := devstack.FindPostgres()
	require.NoError(t, err)
	out, err := command.Command(filepath.Join(bin, name), args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// hashed is a flag with a vector and a hash of its own, and the queries that find it.
func hashed(name string, seed uint64) (NewFlag, Query, HashQuery) {
	r := rand.New(rand.NewPCG(seed, seed))
	f := newFlag("default", name, random(r))
	f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 100}}
	return f, Query{Vector: f.Embeddings[0].Vector}, HashQuery{PDQ: f.PDQ}
}

// follower is a library whose mirrors were read, and are read again when it is told to.
type follower struct {
	*DB
	sketches *sketches
}

func follow(t *testing.T, db *DB) follower {
	t.Helper()
	s := unfollowed(t, db)
	_, _, err := db.WarmHashes(t.Context())
	require.NoError(t, err)
	return follower{db, s}
}

// read is tried again, as it is each second.
func (f follower) read(t *testing.T) {
	t.Helper()
	for _, read := range []func(context.Context) error{f.sketches.read, f.hashes.read} {
		if err := read(t.Context()); err != nil {
			t.Log("first reading:", err)
			require.NoError(t, read(t.Context()))
		}
	}
}

// requireFound asks as a moderator does: what has to be read first is.
func (f follower) requireFound(t *testing.T, id uuid.UUID, q Query, h HashQuery) {
	t.Helper()
	hits, err := f.Match(t.Context(), testModel.Fingerprint, []Query{q})
	hashes, errHashes := f.MatchHashes(t.Context(), []HashQuery{h})
	if err != nil || errHashes != nil {
		require.True(t, err == nil || Retryable(err), err)
		require.True(t, errHashes == nil || Retryable(errHashes), errHashes)
		f.read(t)
		hits, err = f.Match(t.Context(), testModel.Fingerprint, []Query{q})
		require.NoError(t, err)
		hashes, err = f.MatchHashes(t.Context(), []HashQuery{h})
		require.NoError(t, err)
	}
	require.Len(t, hits[0], 1, "by its vector")
	require.Equal(t, id, hits[0][0].FlaggedID)
	require.Len(t, hashes[0], 1, "by its hash")
	require.Equal(t, id, hashes[0][0].FlaggedID)
}

// requireRead says that no search compares anything one by one.
func (f follower) requireRead(t *testing.T, rows int) {
	t.Helper()
	require.Equal(t, rows, f.sketches.have.Load().set.Len())
	require.Equal(t, rows, f.hashes.have.Load().set.Len())
	count := func(table, snapshot string) (n int) {
		sql := "SELECT count(*) FROM " + table + " WHERE " + fmt.Sprintf(notInSnapshotSQL, "$1")
		require.NoError(t, f.pool.QueryRow(t.Context(), sql, snapshot).Scan(&n))
		return n
	}
	require.Zero(t, count("flagged_embedding", f.sketches.have.Load().snapshot))
	require.Zero(t, count("flagged_pdq", f.hashes.have.Load().snapshot))
}

// The numbers of the publisher's transactions are long past here: a running moderator would take its flags for read.
func TestFlagsThatAreReplicatedCount(t *testing.T) {
	publisher := server(t, "wal_level = logical").URL
	_, _, err := Migrate(t.Context(), publisher)
	require.NoError(t, err)
	origin := open(t, publisher)
	require.NoError(t, origin.RegisterModel(t.Context(), testModel))
	first, q1, h1 := hashed("before", 1)
	before := mustFlag(t, origin, first).ID
	require.NoError(t, exec(t, publisher, "CREATE PUBLICATION library FOR TABLE flagged_image, flagged_embedding, flagged_pdq"))

	db, url := library(t)
	burn(t, url, number(t, publisher)+5000)
	require.NoError(t, exec(t, url, "CREATE SUBSCRIPTION library CONNECTION '"+connection(t, publisher)+"' PUBLICATION library"))
	t.Cleanup(func() { require.NoError(t, exec(t, url, "DROP SUBSCRIPTION library")) })
	arrived := func(n int) {
		require.Eventually(t, func() bool {
			var hashes, vectors int
			err := db.pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM flagged_pdq), (SELECT count(*) FROM flagged_embedding)").Scan(&hashes, &vectors)
			return err == nil && hashes == n && vectors == n
		}, 2*time.Minute, 50*time.Millisecond)
	}
	arrived(1)
	f := follow(t, db)
	f.requireFound(t, before, q1, h1)
	second, q2, h2 := hashed("after", 2)
	after := mustFlag(t, origin, second).ID
	arrived(2)
	f.requireFound(t, after, q2, h2)
	f.read(t)
	f.requireRead(t, 2)
	f.requireFound(t, after, q2, h2)
}

// A library that was restored has the numbers of the server that was dumped: ahead of this one's, they would be compared one by
// one by each search; behind, a running moderator would take them for read.
func TestARestoredLibraryIsReadAnew(t *testing.T) {
	db, url := library(t)
	burn(t, url, 6000)
	flag, q, h := hashed("a", 1)
	id := mustFlag(t, db, flag).ID
	dump := filepath.Join(t.TempDir(), "library.dump")
	client(t, "pg_dump", "--format=custom", "--no-privileges", "--file="+dump, url)
	f := follow(t, db)

	t.Run("on a new server", func(t *testing.T) {
		other := server(t).URL
		client(t, "pg_restore", "--exit-on-error", "--dbname="+other, dump)
		require.Less(t, number(t, other), number(t, url)-1000)
		restored := open(t, other)
		_, err := restored.CheckSchema(t.Context())
		require.NoError(t, err)
		f := follow(t, restored)
		f.requireFound(t, id, q, h)
		f.requireRead(t, 1)
		f.read(t)
		f.requireRead(t, 1)
		burn(t, other, number(t, url)) // past the numbers of the dump
		f.requireFound(t, id, q, h)
		next, q, h := hashed("b", 2)
		f.requireFound(t, mustFlag(t, restored, next).ID, q, h)
	})
	t.Run("in the place of the old one", func(t *testing.T) {
		_, err := db.Retract(t.Context(), id.String(), "ann", "by mistake")
		require.NoError(t, err)
		require.Empty(t, nearestOf(t, db, q.Vector))
		_, err = db.MatchHashes(t.Context(), []HashQuery{h})
		require.NoError(t, err)
		require.NoError(t, exec(t, url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")) // and all types have other numbers
		client(t, "pg_restore", "--exit-on-error", "--dbname="+url, dump)
		f.requireFound(t, id, q, h)
		f.requireRead(t, 1)
	})
	t.Run("without its schema", func(t *testing.T) {
		require.NoError(t, exec(t, url, "TRUNCATE flagged_image, flagged_pdq, flagged_keypoints, flagged_embedding CASCADE"))
		require.Empty(t, nearestOf(t, db, q.Vector))
		_, err := db.MatchHashes(t.Context(), []HashQuery{h})
		require.NoError(t, err)
		client(t, "pg_restore", "--exit-on-error", "--data-only", "--disable-triggers", "--table=flagged_image", "--table=flagged_pdq",
			"--table=flagged_embedding_1", "--dbname="+url, dump)
		f.requireFound(t, id, q, h)
		_, err = db.CheckSchema(t.Context())
		require.ErrorIs(t, err, ErrSchema)
		require.ErrorContains(t, err, "flagged_embedding_1, flagged_pdq is not enabled always")
		_, _, err = Migrate(t.Context(), url)
		require.NoError(t, err)
		_, err = db.CheckSchema(t.Context())
		require.NoError(t, err)
		f.requireFound(t, id, q, h)
	})
}

// A server whose backend is killed gives numbers out again that it had not written down. It is the same postmaster.
func TestAServerThatLostNumbersIsReadAnew(t *testing.T) {
	pg := server(t, "wal_writer_delay = '10s'", "restart_after_crash = on")
	url := pg.URL
	_, _, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	db := open(t, url)
	require.NoError(t, db.RegisterModel(t.Context(), testModel))
	f := follow(t, db)

	var seen uint64
	lost := false
	for try := 0; try < 10 && !lost; try++ {
		require.NoError(t, exec(t, url, "CHECKPOINT"))
		burn(t, url, number(t, url)+400)
		seen = number(t, url)
		f.read(t)
		kill(t, url)
		require.Eventually(t, func() bool { return exec(t, url, "SELECT 1") == nil }, time.Minute, 20*time.Millisecond)
		lost = number(t, url) < seen
	}
	require.True(t, lost, "no number was lost")
	require.NoError(t, pg.Err())

	db.pool.Reset() // connections of before the crash
	db.matching.Reset()
	flag, q, h := hashed("a", 1)
	id := mustFlag(t, db, flag).ID
	require.Less(t, number(t, url), seen, "the flag's number was given out before")
	burn(t, url, seen+10) // now the server looks as it did
	f.requireFound(t, id, q, h)
	f.requireRead(t, 1)
}

// kill ends a backend as the kernel does when memory is short, and returns when the postmaster has ended all others for it.
func kill(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	witness, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = witness.Close(context.Background()) }()
	var pid int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		_, err := witness.Exec(t.Context(), "SELECT 1")
		return err != nil
	}, time.Minute, 10*time.Millisecond)
}

// connection is a URL as libpq takes it in a statement.
func connection(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	q := u.Query()
	return "host=" + q.Get("host") + " port=" + q.Get("port") + " user=" + q.Get("user") + " dbname=" + u.Path[1:]
}
