package matchdb

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/google/uuid"

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

// pdqNearest is how many pictures of each bank a hash is held against: the best of each bank is wanted, and some for geometric verification.
const pdqNearest = 100

// hashSQL takes the uploads' numbers, SHA-256 and MD5 ($1, $2, $3); of each of their hashes the number of the upload, its own
// within it, the hexadecimal digits and the bits that may differ ($4 to $7); of the pictures that are near by what is in memory
// the place of the hash among these and the picture ($8, $9); and the snapshot and the server that that is of ($10, $11);
// and whether disabled banks count ($12).
//
// An MD5 counts only for flags that know nothing better of their file: two files can be made to have the same.
var hashSQL = fmt.Sprintf(`
WITH active AS MATERIALIZED (SELECT id, name FROM bank WHERE enabled OR $12), q AS MATERIALIZED (
    SELECT ord, number, ('x' || digits)::bit(256) AS hash, bits, place
    FROM unnest($4::int[], $5::int[], $6::text[], $7::int[]) WITH ORDINALITY AS q (ord, number, digits, bits, place)
), candidate AS MATERIALIZED (
    SELECT place, image_id FROM unnest($8::int[], $9::uuid[]) AS a (place, image_id)
), not_in_snapshot AS MATERIALIZED (
    SELECT image_id, bank_id, view, hash FROM flagged_pdq WHERE %[1]s
), near AS MATERIALIZED (
    SELECT place, image_id, bank_id, view, hash FROM candidate JOIN flagged_pdq USING (image_id)
    UNION
    SELECT place, image_id, bank_id, view, u.hash FROM q JOIN not_in_snapshot u ON u.hash <~> q.hash <= q.bits
)
SELECT ord, i.id, b.name, '', true, 0, 0
FROM unnest($1::int[], $2::bytea[]) AS e (ord, sha256)
JOIN flagged_image i ON i.sha256 = e.sha256 AND i.retracted_at IS NULL
JOIN active b ON b.id = i.bank_id
UNION ALL
SELECT ord, i.id, b.name, '', true, 0, 0
FROM unnest($1::int[], $3::bytea[]) AS e (ord, md5)
JOIN flagged_image i ON i.md5 = e.md5 AND i.sha256 IS NULL AND i.retracted_at IS NULL
JOIN active b ON b.id = i.bank_id
UNION ALL
SELECT ord, image_id, b.name, view, false, (n.hash <~> q.hash)::int, number
FROM near n JOIN q USING (place) JOIN active b ON b.id = n.bank_id
WHERE n.hash <~> q.hash <= bits
UNION ALL
SELECT 0, image_id, NULL, '', false, 0, 0 FROM (SELECT DISTINCT image_id FROM candidate) a
WHERE NOT EXISTS (SELECT FROM near n WHERE n.image_id = a.image_id)
UNION ALL
SELECT -1, '00000000-0000-0000-0000-000000000000', NULL, '', false, 0, 0 WHERE %[2]s`,
	fmt.Sprintf(notInSnapshotSQL, "$10"), serverChangedSQL("flagged_pdq", "$11", "$10"))

// MatchHashes returns for each upload the flags of enabled banks that have its SHA-256 or MD5, and those with a PDQ hash
// within the query's Bits of one of its own: of each bank at least the nearest 100. One statement for the whole batch. Errors: a
// query that is no hash wraps ErrInvalid; of the others Retryable says which may pass.
func (db *DB) MatchHashes(ctx context.Context, qs []HashQuery) ([][]HashHit, error) {
	return db.matchHashes(ctx, qs, false)
}

// MatchHashesOfAllBanks is MatchHashes with the flags of disabled banks.
func (db *DB) MatchHashesOfAllBanks(ctx context.Context, qs []HashQuery) ([][]HashHit, error) {
	return db.matchHashes(ctx, qs, true)
}

func (db *DB) matchHashes(ctx context.Context, qs []HashQuery, disabledToo bool) ([][]HashHit, error) {
	batch, err := hashColumns(qs)
	if err != nil {
		return nil, err
	}
	for {
		have, err := db.hashes.get(ctx)
		if err != nil {
			return nil, fmt.Errorf("match hashes: %w", err)
		}
		near, cut, err := have.set.search(ctx, batch)
		if err != nil {
			return nil, err
		}
		hits, deleted, err := db.compareHashes(ctx, len(qs), batch, near, have, disabledToo)
		if err != nil {
			return nil, fmt.Errorf("match hashes: %w", db.hashes.orServerChanged(ctx, have, err))
		}
		have.set.remove(near, deleted)
		if !cut || len(deleted) == 0 {
			return hits, nil
		} // else what is deleted took the places of others
	}
}

// compareHashes compares the near pictures, and returns beside the hits which of them are deleted.
func (db *DB) compareHashes(ctx context.Context, uploads int, a hashBatch, near [][]hashNeighbour, have *indexState[*hashSet], disabledToo bool) (hits [][]HashHit, deleted []uuid.UUID, err error) {
	var places []int32
	var images []uuid.UUID
	for i, of := range near {
		for _, n := range of {
			places, images = append(places, int32(i)+1), append(images, n.image)
		}
	}
	rows, err := db.matching.Query(ctx, hashSQL, a.exactOrds, a.sums, a.md5s, a.ords, a.numbers, a.digits, a.bits, places, images, have.snapshot, have.server, disabledToo)
	if err != nil {
		return nil, nil, err
	}
	var h HashHit
	return answered(rows, uploads, &h, &h.FlaggedID, &h.Bank, &h.View, &h.Exact, &h.Distance, &h.Query)
}

// hashBatch are uploads' hashes as they are asked for.
type hashBatch struct {
	exactOrds []int32
	sums      [][]byte
	md5s      [][]byte

	ords    []int32 // the upload of each PDQ hash
	numbers []int32 // which of its hashes
	digits  []string
	bits    []int32
	hashes  []pdq.Hash
}

// search looks each hash up in the set.
func (s *hashSet) search(ctx context.Context, a hashBatch) (near [][]hashNeighbour, cut bool, err error) {
	near, cuts := make([][]hashNeighbour, len(a.hashes)), make([]bool, len(a.hashes))
	err = each(ctx, len(a.hashes), func(i int) { near[i], cuts[i] = s.within(a.hashes[i], int(a.bits[i]), pdqNearest) })
	return near, slices.Contains(cuts, true), err
}

func hashColumns(qs []HashQuery) (a hashBatch, err error) {
	for i, q := range qs {
		if q.SHA256 != "" || q.MD5 != "" {
			sum, err := fileHash("SHA-256", q.SHA256, sha256.Size)
			if err != nil {
				return a, err
			}
			old, err := fileHash("MD5", q.MD5, md5.Size)
			if err != nil {
				return a, err
			}
			a.exactOrds, a.sums, a.md5s = append(a.exactOrds, int32(i)), append(a.sums, sum), append(a.md5s, old)
		}
		bits := cmp.Or(q.Bits, pdq.MaxDistance)
		for n, p := range q.PDQ {
			if p.Quality >= pdq.MinQuality {
				a.ords, a.numbers = append(a.ords, int32(i)), append(a.numbers, int32(n))
				a.digits, a.bits = append(a.digits, p.Hash.String()), append(a.bits, int32(bits))
				a.hashes = append(a.hashes, p.Hash)
			}
		}
	}
	return a, nil
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
