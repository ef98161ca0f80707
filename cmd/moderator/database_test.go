package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/event"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// onRole is a moderator whose database role has only the rights that it needs, on a library with one flag. The test uses a
// superuser.
type onRole struct {
	*running
	js     jetstream.JetStream
	super  *pgx.Conn
	holder *pgx.Conn // holds the lock: pg_stat_activity does not change within its transaction
	sent   int       // uploads
}

const role = "moderator_app"

func startOnRole(t *testing.T) *onRole {
	database := testenv.Postgres(t)
	_, err := recognise.Migrate(t.Context(), config.Stack{DatabaseURL: database}, config.Model{}, "")
	require.NoError(t, err)
	flagged := write(t, "flagged.jpg", encode(t, synth.Draw(1, 0, 640, 480), 90))
	_, err = runFlagctl(t, "--database-url", database, "add", flagged)
	require.NoError(t, err)
	o := &onRole{}
	for _, conn := range []**pgx.Conn{&o.super, &o.holder} {
		c, err := pgx.Connect(t.Context(), database)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		*conn = c
	}
	o.exec(t, "DROP ROLE IF EXISTS "+role)
	o.exec(t, "CREATE ROLE "+role+" LOGIN IN ROLE moderator_reader")
	u, err := url.Parse(database)
	require.NoError(t, err)
	query := u.Query()
	query.Set("user", role)
	u.RawQuery = query.Encode()
	o.running = start(t, dataDir(t), "--database-url", u.String(), "--ack-wait", "6s", "--batch-budget", "3s", "--batch-size", "2",
		"--retry-backoff", "200ms", "--attempts", "2")
	o.js = o.jetStream()
	return o
}

func (o *onRole) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := o.super.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// count returns the number that a query of the superuser selects.
func (o *onRole) count(t *testing.T, sql string) (n int) {
	t.Helper()
	require.NoError(t, o.super.QueryRow(t.Context(), sql, role).Scan(&n))
	return n
}

// lock blocks every match until release is called.
func (o *onRole) lock(t *testing.T) (release func()) {
	tx, err := o.holder.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE bank IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback(t.Context())) }
}

const (
	connections = " FROM pg_stat_activity WHERE usename = $1"
	matching    = connections + " AND wait_event_type = 'Lock'" // whose statements wait for the lock
)

// until waits until the number that a query selects is above 0.
func (o *onRole) until(t *testing.T, sql string) {
	t.Helper()
	require.Eventually(t, func() bool { return o.count(t, sql) > 0 }, time.Minute, 10*time.Millisecond)
}

// kill terminates connections, and waits for the end of at least one. A terminated connection is still listed for a moment.
func (o *onRole) kill(t *testing.T, which string) {
	t.Helper()
	o.until(t, "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000))"+which)
}

// upload publishes uploads. Every second one is a copy of the flag.
func (o *onRole) upload(t *testing.T) {
	const uploads = 24
	flagged, other := synth.Draw(1, 0, 640, 480), synth.Draw(1, 1, 640, 480)
	for i := range uploads / 2 {
		publish(t, o.js, encode(t, other, 50+i))
		publish(t, o.js, encode(t, flagged, 50+i))
	}
	o.sent += uploads
}

// decided checks that each upload so far has one decision, as without an outage.
func (o *onRole) decided(t *testing.T) {
	for id, d := range o.all(o.js, o.sent) {
		want := []any{event.Allow, event.NoMatch}
		if d.Upload.Sequence%2 == 0 {
			want = []any{event.Block, event.Match}
		}
		require.Equal(t, want, []any{d.Verdict, d.Reason}, "%s: %s", id, d.Detail)
	}
	require.Eventually(t, func() bool {
		stream, err := o.js.Stream(t.Context(), "UPLOADS")
		return err == nil && stream.CachedInfo().State.Msgs == 0
	}, time.Minute, 10*time.Millisecond, "every upload is acknowledged")
	stream, err := o.js.Stream(t.Context(), "DECISIONS")
	require.NoError(t, err)
	require.EqualValues(t, o.sent, stream.CachedInfo().State.Msgs, "each is decided once")
}

// During outages of the database, uploads wait. Each gets the decision that it would have had without them.
func TestDatabaseOutages(t *testing.T) {
	t.Parallel()
	o := startOnRole(t)
	t.Run("connections killed in the middle of a statement", func(t *testing.T) {
		release := o.lock(t)
		o.upload(t)
		for range 3 {
			o.kill(t, matching)
		}
		release()
		o.decided(t)
	})
	t.Run("stalled for longer than the ack wait", func(t *testing.T) {
		release := o.lock(t)
		o.upload(t)
		o.until(t, "SELECT count(*)"+matching)
		longerThanAckWait := regexp.MustCompile(`postgres: away for ([6-9]|\d\d)s`)
		require.Eventually(t, func() bool {
			_, body := o.get("/readyz")
			return longerThanAckWait.MatchString(body)
		}, time.Minute, 50*time.Millisecond)
		release()
		o.decided(t)
	})
	t.Run("out of connections", func(t *testing.T) {
		o.exec(t, "ALTER ROLE "+role+" CONNECTION LIMIT 0")
		o.kill(t, connections)
		o.upload(t)
		require.Eventually(t, func() bool {
			_, now := o.get("/metrics")
			return strings.Contains(now, `moderator_dependency_away{dependency="postgres"} 1`)
		}, time.Minute, 10*time.Millisecond)
		code, body := o.get("/healthz")
		require.Equal(t, http.StatusOK, code, body)
		code, body = o.get("/readyz")
		require.Equal(t, http.StatusServiceUnavailable, code)
		require.Contains(t, body, "postgres: away for ")
		require.Contains(t, body, "too many connections")
		o.exec(t, "ALTER ROLE "+role+" CONNECTION LIMIT -1")
		o.decided(t)
	})
	_, body := o.get("/metrics")
	require.Contains(t, body, `moderator_dependency_away{dependency="postgres"} 0`)
	require.Contains(t, body, "moderator_duplicate_decisions_total 0", "no upload in flight was redelivered")
}
