package matchdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// FaultKind says what is wrong with some flags.
type FaultKind string

// The kinds of faults.
const (
	NotEmbedded     FaultKind = "not embedded"        // by the model that judges, but by another
	MissingViews    FaultKind = "missing views"       // embedded by it, but not in all views
	OrphanEmbedding FaultKind = "orphaned embeddings" // whose flag is retracted, deleted or in another bank
	OrphanHash      FaultKind = "orphaned hashes"
	NoSignal        FaultKind = "no signal"       // nothing to be found by: no file hash, PDQ hash or embedding
	DamagedVector   FaultKind = "damaged vectors" // not of length 1, or with another penalty than is stored beside it
)

// Fault is the flags, or embeddings, of which something is wrong.
type Fault struct {
	Kind     FaultKind
	Count    int64
	Examples []uuid.UUID // flags; some of them
}

const examples = 10

// faults counts the flags that are wrong, by kind. Views of later frames, original@12, are as many as there are frames.
func (db *DB) faults(ctx context.Context, model registered, views []string) ([]Fault, error) {
	checks := []struct {
		kind FaultKind
		ids  string // a statement that gives the flags' ids
		args []any
	}{
		{NotEmbedded, `SELECT DISTINCT e.image_id FROM flagged_embedding e WHERE e.model_id <> $1
			AND NOT EXISTS (SELECT FROM flagged_embedding o WHERE o.image_id = e.image_id AND o.model_id = $1)`, []any{model.id}},
		{MissingViews, `SELECT image_id FROM flagged_embedding WHERE model_id = $1 GROUP BY image_id
			HAVING NOT array_agg(view) @> $2::text[]`, []any{model.id, views}},
		{OrphanEmbedding, orphans("flagged_embedding"), nil},
		{OrphanHash, orphans("flagged_pdq"), nil},
		{NoSignal, `SELECT i.id AS image_id FROM flagged_image i WHERE i.retracted_at IS NULL AND num_nonnulls(i.sha256, i.sha1, i.md5) = 0
			AND NOT EXISTS (SELECT FROM flagged_pdq WHERE image_id = i.id)
			AND NOT EXISTS (SELECT FROM flagged_embedding WHERE image_id = i.id)`, nil},
	}
	found := make([]Fault, len(checks))
	for i, c := range checks {
		f := &found[i]
		f.Kind = c.kind
		err := db.pool.QueryRow(ctx, fmt.Sprintf(`WITH bad AS MATERIALIZED (%s)
			SELECT count(*), ARRAY(SELECT image_id FROM bad ORDER BY image_id LIMIT %d) FROM bad`, c.ids, examples), c.args...).
			Scan(&f.Count, &f.Examples)
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", c.kind, err)
		}
	}
	return found, nil
}

// orphans are the rows of a table without their flag.
func orphans(table string) string {
	return `SELECT e.image_id FROM ` + table + ` e
		LEFT JOIN flagged_image i ON i.id = e.image_id AND i.bank_id = e.bank_id AND i.retracted_at IS NULL WHERE i.id IS NULL`
}
