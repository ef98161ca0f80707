package matchdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Index is the state of one index of nearest neighbours: of the allow-list, since flags are found in memory.
type Index struct {
	Name     string
	Bytes    int64
	Rows     int64 // of its table, as the server estimates them
	Dead     int64 // rows that are deleted and not yet cleaned up: searches walk over them
	Valid    bool  // an index whose making broke off is not used
	Vacuumed *time.Time
}

// Indexes returns the library's HNSW indexes, the largest first.
func (db *DB) Indexes(ctx context.Context) ([]Index, error) {
	rows, err := db.pool.Query(ctx, `SELECT c.relname, pg_relation_size(c.oid), s.n_live_tup, s.n_dead_tup, x.indisvalid,
			greatest(s.last_vacuum, s.last_autovacuum)
		FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'hnsw'
		JOIN pg_stat_user_tables s ON s.relid = x.indrelid
		WHERE c.relkind = 'i' AND s.schemaname = current_schema() ORDER BY 2 DESC, 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Index])
}
