package matchdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"moderator/internal/pdq"
)

// WarmHashes reads the PDQ hashes, from which MatchHashes knows where to look, and returns how many there are and the bytes that
// they take. MatchHashes does it where it was not done.
func (db *DB) WarmHashes(ctx context.Context) (hashes int, bytes int64, err error) {
	return db.hashes.warm(ctx)
}

func newHashes(db *DB) *candidateIndex[*hashSet] {
	return &candidateIndex[*hashSet]{
		db: db, what: "PDQ hashes", table: "flagged_pdq", turn: make(chan struct{}, 1),
		columns: "image_id, bank_id, hash", rows: "FROM flagged_pdq WHERE true",
		empty:   func(context.Context, pgx.Tx) (*hashSet, error) { return &hashSet{}, nil },
		changed: serverChanged("flagged_pdq"), compare: newStatement(matchHashesSQL, 0), deleted: newStatement(deletedHashesSQL, 0),
		taken: func(_ context.Context, _ pgx.Tx, set *hashSet) error { set.flush(); return nil },
		stale: func(have *indexState[*hashSet]) bool { return have.set.outgrown() },
		purge: func(*hashSet, map[uuid.UUID]bool) bool { return false },
		take: func(rows pgx.Rows, set *hashSet) (id uuid.UUID, err error) {
			var bank int32
			var hash pgtype.Bits
			if err := rows.Scan(&id, &bank, &hash); err != nil {
				return id, err
			}
			set.add(id, bank, pdq.Hash(hash.Bytes))
			return id, nil
		},
	}
}

// insertPDQ stores the hashes that say something about their picture.
func insertPDQ(ctx context.Context, tx pgx.Tx, bank int, image uuid.UUID, all []PDQ) error {
	views, hashes, qualities := pdqColumns(all)
	_, err := tx.Exec(ctx, `INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality)
		SELECT $1, $2, e.view, ('x' || e.hash)::bit(256), e.quality FROM unnest($3::text[], $4::text[], $5::smallint[]) AS e (view, hash, quality)
		ON CONFLICT DO NOTHING`, image, bank, views, hashes, qualities)
	return err
}

// pdqColumns are the columns of the rows of those hashes that say something about their picture.
func pdqColumns(all []PDQ) (views, hashes []string, qualities []int16) {
	for _, p := range all {
		if p.Quality >= pdq.MinQuality {
			views, hashes, qualities = append(views, p.View), append(hashes, p.Hash.String()), append(qualities, int16(p.Quality))
		}
	}
	return views, hashes, qualities
}
