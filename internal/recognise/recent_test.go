package recognise

import (
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// library is an empty one, in which the shipped model is registered.
func library(t *testing.T) (db *matchdb.DB, folder *embed.Folder, url string) {
	t.Helper()
	url = testenv.Postgres(t)
	_, _, err := matchdb.Migrate(t.Context(), url)
	require.NoError(t, err)
	folder, err = Folder(config.Model{})
	require.NoError(t, err)
	db, err = matchdb.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	record, _ := ModelRecord(folder)
	require.NoError(t, db.RegisterModel(t.Context(), record))
	return db, folder, url
}

// keeping is a writer of recent uploads with a library of its own.
func keeping(t *testing.T) (*Recent, *pgx.Conn) {
	t.Helper()
	db, folder, url := library(t)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	r, err := StartRecent(t.Context(), db, folder, config.Age(24*time.Hour), prometheus.NewRegistry(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	return r, conn
}

func keepUpload(r *Recent, sequence uint64, attribute string) {
	r.Keep(event.UploadInfo{
		Stream: "UPLOADS", Sequence: sequence, SHA256: "00", Attributes: map[string]json.RawMessage{"a": json.RawMessage(attribute)},
	}, nil)
}

func kept(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM recent_upload").Scan(&n))
	return n
}

// What PostgreSQL does not take is lost alone.
func TestOneUploadDoesNotLoseTheOthers(t *testing.T) {
	r, conn := keeping(t)
	keepUpload(r, 1, `"\u0000"`)
	keepUpload(r, 2, "\"\xff\"") // no UTF-8
	keepUpload(r, 3, "1e400000")
	r.Stop()
	require.Equal(t, 2, kept(t, conn))
	require.EqualValues(t, 1, testutil.ToFloat64(r.dropped))
	require.Zero(t, r.waiting.Load())
}

// A database that does not answer keeps nobody from stopping, and what waits for it has an end.
func TestRecentUploadsThatCannotBeWritten(t *testing.T) {
	r, conn := keeping(t)
	_, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE recent_upload")
	require.NoError(t, err)
	for i := range uint64(3 * recentBatch) {
		keepUpload(r, i, "1")
	}
	huge := event.UploadInfo{ID: "huge", Attributes: map[string]json.RawMessage{"a": make([]byte, recentBytes)}}
	r.Keep(huge, nil)
	require.EqualValues(t, 1, testutil.ToFloat64(r.dropped))
	r.Stop()
	require.EqualValues(t, 3*recentBatch+1, testutil.ToFloat64(r.dropped))
	_, err = conn.Exec(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.Zero(t, kept(t, conn))
}
