package matchdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var errPooled = fmt.Errorf("%w: a pooler gives each transaction another server process, which loses the settings, prepared statements, "+
	"locks and temporary tables of a session: connect to Postgres itself, or to a pool in session mode (PgBouncer: pool_mode = session)", ErrSchema)

// refusePooling returns errPooled where a pooler shares server processes between connections. It knows a pooler by a process
// id that is not the one of the connection's start, and sharing by two connections that meet in one process, or by one that
// changes its process.
func refusePooling(ctx context.Context, config *pgx.ConnConfig) (err error) {
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	first, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return unreachable(config, err)
	}
	defer func() { err = errors.Join(err, first.Close(ctx)) }()
	pid, err := backend(ctx, first)
	if err != nil || pid == first.PgConn().PID() {
		return err
	}
	second, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return unreachable(config, err)
	}
	defer func() { err = errors.Join(err, second.Close(ctx)) }()
	for range 5 {
		other, err := backend(ctx, second)
		if err != nil {
			return err
		}
		again, err := backend(ctx, first)
		if err != nil {
			return err
		}
		if other == pid || again != pid {
			return errPooled
		}
	}
	return nil
}

// backend is the id of the server process that runs the connection's statement.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
	return pid, err
}
