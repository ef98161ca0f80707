package matchdb

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	_ "embed"
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
	Quality int // 0 to 100; below pdq.MinQuality it is neither stored nor searched for
}

// HashQuery is an upload's hashes.
type HashQuery struct {
	SHA256 string // of the file, hex; "" asks for none
	SHA1   string // the same of it
	MD5    string // the same of it
	PDQ    []PDQ
	Bits   int // so many bits of a PDQ hash may differ; 0: pdq.MaxDistance
}

// HashHit is a flag that an upload's hashes name.
type HashHit struct {
	FlaggedID uuid.UUID
	Bank      string
	View      string // of the flag; "" for a hit by a hash of the file
	Exact     bool   // the very same file
	Distance  int    // in bits of PDQ, 0 to the query's Bits
	Query     int    // which of the upload's PDQ is near
}

// pdqNearest is how many pictures of each bank a hash is held against: the best of each bank is wanted, and some for geometric verification.
const pdqNearest = 100

//go:embed match_hashes.sql
var matchHashesSQL string

// deletedHashesSQL names the pictures that match_hashes.sql compares and that have no hash any more.
const deletedHashesSQL = `
SELECT DISTINCT image_id FROM unnest(@near_images::uuid[]) AS near (image_id)
WHERE NOT EXISTS (SELECT FROM flagged_pdq p WHERE p.image_id = near.image_id)`

// MatchHashes returns for each upload the flags of enabled banks that have its SHA-256, SHA-1 or MD5, and those with a PDQ hash
// within the query's Bits of one of its own: of each bank at least the nearest 100. One round trip for the whole batch. Errors: a
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
		hits := make([][]HashHit, len(qs))
		var i int
		var h HashHit
		fields := []any{&i, &h.FlaggedID, &h.Bank, &h.View, &h.Exact, &h.Distance, &h.Query}
		named := batch.arguments(near)
		named["disabled_too"] = disabledToo
		deleted, err := db.hashes.search(ctx, have, named, fields, func() error {
			hits[i] = append(hits[i], h)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("match hashes: %w", err)
		}
		have.set.remove(near, deleted)
		if !cut || len(deleted) == 0 {
			return hits, nil
		} // else deleted pictures took the places of others
	}
}

// hashBatch are the hashes of a batch of uploads, as match_hashes.sql takes them.
type hashBatch struct {
	files []int32 // the upload of each file
	sums  [][]byte
	sha1s [][]byte
	md5s  [][]byte

	uploads []int32 // the upload of each PDQ hash
	numbers []int32 // which of its hashes
	digits  []string
	bits    []int32
	hashes  []pdq.Hash
}

// search looks each hash up in the set.
func (s *hashSet) search(ctx context.Context, b hashBatch) (near [][]hashNeighbour, cut bool, err error) {
	near, cuts := make([][]hashNeighbour, len(b.hashes)), make([]bool, len(b.hashes))
	err = each(ctx, len(b.hashes), func(i int) { near[i], cuts[i] = s.within(b.hashes[i], int(b.bits[i]), pdqNearest) })
	return near, slices.Contains(cuts, true), err
}

// arguments are those of match_hashes.sql, with the pictures that are near each PDQ hash.
func (b hashBatch) arguments(near [][]hashNeighbour) arguments {
	var queries []int32
	var images []uuid.UUID
	for i, of := range near {
		for _, n := range of {
			queries, images = append(queries, int32(i)+1), append(images, n.image)
		}
	}
	return arguments{
		"files": b.files, "sha256": b.sums, "sha1": b.sha1s, "md5": b.md5s, "uploads": b.uploads, "numbers": b.numbers, "digits": b.digits, "bits": b.bits,
		"near_queries": queries, "near_images": images,
	}
}

func hashColumns(qs []HashQuery) (a hashBatch, err error) {
	for i, q := range qs {
		if q.SHA256 != "" || q.SHA1 != "" || q.MD5 != "" {
			sum, err := fileHash("SHA-256", q.SHA256, sha256.Size)
			if err != nil {
				return a, err
			}
			shorter, err := fileHash("SHA-1", q.SHA1, sha1.Size)
			if err != nil {
				return a, err
			}
			old, err := fileHash("MD5", q.MD5, md5.Size)
			if err != nil {
				return a, err
			}
			a.files, a.sums = append(a.files, int32(i)), append(a.sums, sum)
			a.sha1s, a.md5s = append(a.sha1s, shorter), append(a.md5s, old)
		}
		bits := cmp.Or(q.Bits, pdq.MaxDistance)
		for n, p := range q.PDQ {
			if p.Quality >= pdq.MinQuality {
				a.uploads, a.numbers = append(a.uploads, int32(i)), append(a.numbers, int32(n))
				a.digits, a.bits = append(a.digits, p.Hash.String()), append(a.bits, int32(bits))
				a.hashes = append(a.hashes, p.Hash)
			}
		}
	}
	return a, nil
}

// KnownSums says whether there are flags of whose file a SHA-1, or an MD5, is the best hash that is known.
func (db *DB) KnownSums(ctx context.Context) (bySHA1, byMD5 bool, err error) {
	err = db.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM flagged_image WHERE (sha1 IS NULL) = false AND sha256 IS NULL AND signal_key IS NULL AND retracted_at IS NULL),
		EXISTS (SELECT FROM flagged_image WHERE (sha1 IS NULL) = true AND sha256 IS NULL AND signal_key IS NULL AND retracted_at IS NULL)`).Scan(&bySHA1, &byMD5)
	if err != nil {
		return false, false, fmt.Errorf("ask for flags by SHA-1 and MD5: %w", err)
	}
	return bySHA1, byMD5, nil
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
