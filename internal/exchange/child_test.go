package exchange

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"moderator/internal/child"
	"moderator/internal/exchange/fake"
	"moderator/internal/matchdb"
)

// startChild has another process fetch the exchange x of the database.
func startChild(t *testing.T, url string) *child.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url)
	cmd.Stderr = t.Output()
	p, err := child.Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

func fetchInChild(url string) {
	db, err := matchdb.Open(context.Background(), url)
	if err == nil {
		f := (&bench{}).newFetcher(db)
		f.now = func() time.Time { return fake.Begin.AddDate(1, 0, 0) }
		_, err = f.Fetch(context.Background(), "x", false)
	}
	fmt.Fprintln(os.Stderr, "the fetch ended:", err)
	os.Exit(1)
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// texts is all that the database says of exchanges.
func texts(t *testing.T, url string) (all []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), "SELECT e::text FROM exchange e UNION ALL SELECT s::text FROM exchange_state s UNION ALL SELECT a::text FROM audit_log a")
	require.NoError(t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}
