package matchdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Found is a flag near to a query, by its nearest view.
type Found struct {
	Hit
	Source      string
	BankEnabled bool // the flags of a disabled bank match no upload
}

// searchSQL takes the model's id, as matchSQL does, and compares all of its rows: a person asks. A flag has several views, so
// that more rows are taken than flags are wanted.
const searchSQL = `
SELECT n.image_id, t.bank, n.view, n.score + n.penalty + $2, n.score, t.block_at, t.review_at, i.source, t.enabled
FROM (
    SELECT DISTINCT ON (image_id) * FROM (
        SELECT image_id, bank_id, view, penalty, -(embedding <#> $1) - $2::float8 - 1 AS score
        FROM flagged_embedding WHERE model_id = %[1]d
        ORDER BY embedding <#> $1 LIMIT $3 * %[2]d
    ) e ORDER BY image_id, score DESC, view
) n
JOIN flagged_image i ON i.id = n.image_id JOIN threshold t ON t.bank_id = n.bank_id AND t.model_id = %[1]d
ORDER BY n.score DESC, n.image_id LIMIT $3`

// viewsSearched is how many rows are taken for each flag that is wanted: the views that a flag may have.
const viewsSearched = 14

// Search returns the at most k flags that are nearest to the query, whatever their score, also of disabled banks; the
// nearest first. The error of a model that is not registered wraps ErrUnknownModel, that of a query that is no vector of
// it ErrInvalid.
func (db *DB) Search(ctx context.Context, model string, q Query, k int) ([]Found, error) {
	if k < 1 {
		return nil, fmt.Errorf("%w number of flags to find %d: want 1 or more", ErrInvalid, k)
	}
	known, err := db.model(ctx, model)
	if err != nil {
		return nil, err
	}
	if err := known.check(q.Vector, q.Penalty); err != nil {
		return nil, err
	}
	sql := fmt.Sprintf(searchSQL, known.id, viewsSearched)
	rows, err := db.pool.Query(ctx, sql, QueryVector(q.Vector), q.Penalty, k)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Found, error) {
		var f Found
		err := row.Scan(&f.FlaggedID, &f.Bank, &f.View, &f.Similarity, &f.Score, &f.BlockAt, &f.ReviewAt, &f.Source, &f.BankEnabled)
		return f, err
	})
}
