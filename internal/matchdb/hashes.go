package matchdb

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/pdq"
)

// PDQ is the hash of one view of a picture.
type PDQ struct {
	View    string // of a flag; a query's is not looked at
	Hash    pdq.Hash
	Quality int // 0 to 100; below pdq.MinQuality it is neither stored nor asked for
}

// HashQuery is an upload's hashes.
type HashQuery struct {
	SHA256 string // of the file, hex; "" asks for none
	MD5    string // the same of it
	PDQ    []PDQ
	Bits   int // so many bits of a PDQ hash may differ; 0: pdq.MaxDistance
}

// HashHit is a flag that an upload's hashes name.
type HashHit struct {
	FlaggedID uuid.UUID
	Bank      string
	View      string // of the flag; "" for a hit by SHA-256 or MD5
	Exact     bool   // the very same file
	Distance  int    // in bits of PDQ, 0 to the Bits that were asked for
	Query     int    // which of the upload's PDQ is near
}

// pdqNearest is how many neighbours a hash is asked for. More flags than that within the distance are copies of one
// picture, and the best of each bank is wanted only.
const pdqNearest = 100

// hashSQL takes the uploads' numbers, SHA-256 and MD5 ($1, $2, $3), and the numbers and hashes of their views ($4, $5, as
// hexadecimal digits) with the bits that may differ and their numbers ($6, $7).
//
// An MD5 counts only for flags that know nothing better of their file: two files can be made to have the same. All PDQ hashes
// that differ in no more bits than copies do are found, by their keys (migration 11 says why); of those that differ in more,
// which are asked for a closer look only, an index of nearest neighbours finds most. Disabled banks are left out inside its
// scan, which goes on until it has enough others.
const hashSQL = `
WITH active AS MATERIALIZED (SELECT array_agg(id) AS ids FROM bank WHERE enabled), asked AS MATERIALIZED (
    SELECT ord, number, bits, ('x' || digits)::bit(256) AS hash, pdq_asked(('x' || digits)::bit(256)) AS keys
    FROM unnest($4::int[], $5::text[], $6::int[], $7::int[]) AS q (ord, digits, bits, number)
)
SELECT q.ord, i.id, b.name, '', true, 0, 0
FROM unnest($1::int[], $2::bytea[]) AS q (ord, sha256)
JOIN flagged_image i ON i.sha256 = q.sha256 AND i.retracted_at IS NULL
JOIN bank b ON b.id = i.bank_id AND b.enabled
UNION ALL
SELECT q.ord, i.id, b.name, '', true, 0, 0
FROM unnest($1::int[], $3::bytea[]) AS q (ord, md5)
JOIN flagged_image i ON i.md5 = q.md5 AND i.sha256 IS NULL AND i.retracted_at IS NULL
JOIN bank b ON b.id = i.bank_id AND b.enabled
UNION ALL
SELECT q.ord, e.image_id, b.name, e.view, false, e.distance::int, q.number
FROM asked q CROSS JOIN LATERAL (
    SELECT image_id, bank_id, view, hash <~> q.hash AS distance
    FROM flagged_pdq WHERE pdq_keys(hash) && q.keys AND hash <~> q.hash <= least(q.bits, %[1]d) AND bank_id = ANY ((SELECT ids FROM active)::int[])
    ORDER BY distance LIMIT %[2]d
) e JOIN bank b ON b.id = e.bank_id
WHERE require_indexed('flagged_pdq')
UNION ALL
SELECT q.ord, e.image_id, b.name, e.view, false, e.distance::int, q.number
FROM asked q CROSS JOIN LATERAL (
    SELECT image_id, bank_id, view, hash <~> q.hash AS distance
    FROM flagged_pdq WHERE bank_id = ANY ((SELECT ids FROM active)::int[])
    ORDER BY hash <~> q.hash LIMIT %[2]d
) e JOIN bank b ON b.id = e.bank_id
WHERE q.bits > %[1]d AND e.distance BETWEEN %[1]d + 1 AND q.bits AND require_indexed('flagged_pdq')`

// MatchHashes returns for each upload the flags of enabled banks that have its SHA-256 or MD5, and those with a PDQ hash
// within the query's Bits of one of its own. One statement for the whole batch. While the hashes' index is being built the
// error wraps ErrIndexing.
func (db *DB) MatchHashes(ctx context.Context, qs []HashQuery) ([][]HashHit, error) {
	hits := make([][]HashHit, len(qs))
	var exactOrds, viewOrds, bits, numbers []int32
	var sums, md5s [][]byte
	var hashes []string
	for i, q := range qs {
		if q.SHA256 != "" || q.MD5 != "" {
			sum, err := fileHash("SHA-256", q.SHA256, sha256.Size)
			if err != nil {
				return nil, err
			}
			old, err := fileHash("MD5", q.MD5, md5.Size)
			if err != nil {
				return nil, err
			}
			exactOrds, sums, md5s = append(exactOrds, int32(i)), append(sums, sum), append(md5s, old)
		}
		for n, p := range q.PDQ {
			if p.Quality >= pdq.MinQuality {
				viewOrds, hashes = append(viewOrds, int32(i)), append(hashes, p.Hash.String())
				bits, numbers = append(bits, int32(cmp.Or(q.Bits, pdq.MaxDistance))), append(numbers, int32(n))
			}
		}
	}
	rows, err := db.matching.Query(ctx, fmt.Sprintf(hashSQL, pdq.MaxDistance, pdqNearest), exactOrds, sums, md5s, viewOrds, hashes, bits, numbers)
	if err != nil {
		return nil, fmt.Errorf("match hashes: %w", indexing(err))
	}
	var i int
	var h HashHit
	_, err = pgx.ForEachRow(rows, []any{&i, &h.FlaggedID, &h.Bank, &h.View, &h.Exact, &h.Distance, &h.Query}, func() error {
		hits[i] = append(hits[i], h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("match hashes: %w", indexing(err))
	}
	return hits, nil
}

// KnowsMD5 says whether there are flags that are known by an MD5 and nothing better of their file.
func (db *DB) KnowsMD5(ctx context.Context) (known bool, err error) {
	err = db.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM flagged_image WHERE sha256 IS NULL AND md5 IS NOT NULL AND retracted_at IS NULL)").Scan(&known)
	if err != nil {
		return false, fmt.Errorf("ask for flags by MD5: %w", err)
	}
	return known, nil
}

// fileHash are the bytes of a hash in hexadecimal digits, nil of none.
func fileHash(name, digits string, size int) ([]byte, error) {
	if digits == "" {
		return nil, nil
	}
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != size {
		return nil, fmt.Errorf("%w %s %q: want %d hexadecimal digits", ErrInvalid, name, digits, 2*size)
	}
	return sum, nil
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
