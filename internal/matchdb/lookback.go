package matchdb

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/pdq"
)

// RecentUpload is an upload as it is kept for a while after its decision.
type RecentUpload struct {
	Stream   string
	Sequence uint64
	Stored   int64           // when the stream stored the message, in nanoseconds since 1970; the three together name it
	SHA256   string          // of the file, hex
	Upload   json.RawMessage // as the decision says it
	Views    []RecentView    // none of a flat picture
}

// RecentView is one view of it, as the library is searched for it.
type RecentView struct {
	Query
	PDQ PDQ
}

// PrepareRecent makes room for the uploads of today and tomorrow, and drops those of more than so many days ago.
func (db *DB) PrepareRecent(ctx context.Context, days int) error {
	if _, err := db.pool.Exec(ctx, "SELECT keep_recent($1)", days); err != nil {
		return fmt.Errorf("make room for recent uploads: %w", err)
	}
	return nil
}

// keepSQL stores uploads ($1 to $5) that are not there yet, and their views ($7 on), whose place among the uploads $6 is and
// whose number among the upload's views $10.
const keepSQL = `
WITH u AS (
    SELECT *, (now() AT TIME ZONE 'UTC')::date AS day
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::json[])
        WITH ORDINALITY AS u (stream, sequence, stored, sha256, upload, ord)
), fresh AS (
    INSERT INTO recent_upload (day, stream, sequence, stored, sha256, upload) SELECT day, stream, sequence, stored, sha256, upload FROM u
    ON CONFLICT DO NOTHING RETURNING day, stream, sequence, stored
)
INSERT INTO recent_view (day, stream, sequence, stored, number, model_id, penalty, embedding, pdq)
SELECT f.day, f.stream, f.sequence, f.stored, v.number, %d, v.penalty, v.embedding, ('x' || nullif(v.hash, ''))::bit(256)
FROM fresh f JOIN u USING (stream, sequence, stored)
JOIN unnest($6::int[], $7::real[], $8::halfvec[], $9::text[], $10::int[]) AS v (ord, penalty, embedding, hash, number) ON v.ord = u.ord`

// KeepRecent stores uploads, in one statement. PrepareRecent has to have been called today or yesterday.
func (db *DB) KeepRecent(ctx context.Context, model string, uploads []RecentUpload) error {
	known, err := db.model(ctx, model)
	if err != nil {
		return err
	}
	var streams, infos, hashes []string
	var sequences, stored []int64
	var sums [][]byte
	var ords, numbers []int32
	var penalties []float32
	var vectors []pgvector.HalfVector
	for i, u := range uploads {
		sum, err := hex.DecodeString(u.SHA256)
		if err != nil {
			return fmt.Errorf("%w SHA-256 %q: want 64 hexadecimal digits", ErrInvalid, u.SHA256)
		}
		streams, sequences, sums = append(streams, u.Stream), append(sequences, int64(u.Sequence)), append(sums, sum)
		stored, infos = append(stored, u.Stored), append(infos, string(u.Upload))
		for n, v := range u.Views {
			hash := ""
			if v.PDQ.Quality >= pdq.MinQuality {
				hash = v.PDQ.Hash.String()
			}
			ords, penalties = append(ords, int32(i+1)), append(penalties, v.Penalty)
			vectors, hashes, numbers = append(vectors, QueryVector(v.Vector)), append(hashes, hash), append(numbers, int32(n))
		}
	}
	_, err = db.pool.Exec(ctx, fmt.Sprintf(keepSQL, known.id), streams, sequences, stored, sums, infos, ords, penalties, vectors, hashes, numbers)
	if err != nil {
		return fmt.Errorf("keep recent uploads: %w", err)
	}
	return nil
}

// PastHit is a view of a kept upload that a flag matches by one signal, with the flag's view that is nearest. Either Hash or
// Near is set.
type PastHit struct {
	Upload json.RawMessage
	Hash   *HashHit
	Near   *Hit
	Query  AllowQuery // the upload's view; of a hit by the very same file its SHA-256 alone
}

// lookbackSQL takes the model's id; $1 are the flags, $2 the bits of PDQ that may differ, $3 is the day. Its scores are those
// of matchSQL, from the same half-precision vectors. Each view of an upload has a row of its own: an allowed picture may be
// nearer to one and not to another.
const lookbackSQL = `
WITH flag AS MATERIALIZED (
    SELECT i.id, i.sha256, t.bank, t.block_at, t.review_at
    FROM flagged_image i JOIN threshold t ON t.bank_id = i.bank_id AND t.model_id = %[1]d AND t.enabled
    WHERE i.id = ANY ($1) AND i.retracted_at IS NULL
), hash AS MATERIALIZED (
    SELECT f.id, p.view, p.hash FROM flag f JOIN flagged_pdq p ON p.image_id = f.id
), vector AS MATERIALIZED (
    SELECT f.id, e.view, e.penalty, e.embedding, least(f.block_at, f.review_at) AS lowest
    FROM flag f JOIN flagged_embedding e ON e.image_id = f.id AND e.model_id = %[1]d
), hit AS (
    SELECT f.id, u.day, u.stream, u.sequence, u.stored, 0 AS number, 0 AS signal, '' AS view, 1::float8 AS score, 0::float8 AS penalties, 0 AS distance,
           0::real AS penalty, NULL::halfvec AS query_vector, NULL::bit(256) AS pdq
    FROM flag f JOIN recent_upload u ON u.sha256 = f.sha256 AND u.day = $3
    UNION ALL
    SELECT h.id, v.day, v.stream, v.sequence, v.stored, v.number, 1, h.view, -(v.pdq <~> h.hash), 0, (v.pdq <~> h.hash)::int, v.penalty, v.embedding, v.pdq
    FROM recent_view v JOIN hash h ON v.pdq <~> h.hash <= $2 WHERE v.model_id = %[1]d AND v.day = $3
    UNION ALL
    SELECT e.id, v.day, v.stream, v.sequence, v.stored, v.number, 2, e.view, -(e.embedding <#> v.embedding) - v.penalty - 1, e.penalty + v.penalty::float8, 0, v.penalty, v.embedding, v.pdq
    FROM recent_view v JOIN vector e ON -(e.embedding <#> v.embedding) - v.penalty - 1 >= e.lowest WHERE v.model_id = %[1]d AND v.day = $3
), best AS (
    SELECT DISTINCT ON (id, day, stream, sequence, stored, signal, number) * FROM hit
    ORDER BY id, day, stream, sequence, stored, signal, number, score DESC, view
)
SELECT b.id, f.bank, encode(u.sha256, 'hex'), u.upload, b.signal, b.view, b.score, b.score + b.penalties, b.distance,
       f.block_at, f.review_at, b.penalty, b.query_vector, b.pdq
FROM best b JOIN flag f USING (id) JOIN recent_upload u USING (day, stream, sequence, stored)
ORDER BY b.id, b.stream, b.sequence, b.stored, b.signal, b.number`

// RecentDays are the days of which uploads may be kept, the oldest first.
func (db *DB) RecentDays(ctx context.Context) ([]time.Time, error) {
	rows, err := db.pool.Query(ctx, `SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') FROM pg_inherits
		WHERE inhparent = 'recent_upload'::regclass ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("days of recent uploads: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[time.Time])
}

// Lookback returns the uploads that are kept of that day and that the flags match, those of one flag and upload one after
// the other. All that is kept is compared, row by row.
func (db *DB) Lookback(ctx context.Context, model string, flags []uuid.UUID, day time.Time) ([]PastHit, error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return nil, err
	}
	rows, err := db.pool.Query(ctx, fmt.Sprintf(lookbackSQL, known.id), flags, pdq.MaxDistance, day)
	if err != nil {
		return nil, fmt.Errorf("look back: %w", err)
	}
	hits, err := pgx.CollectRows(rows, known.scanPast)
	if err != nil {
		return nil, fmt.Errorf("look back: %w", err)
	}
	return hits, nil
}

func (r registered) scanPast(row pgx.CollectableRow) (PastHit, error) {
	var p PastHit
	var id uuid.UUID
	var bank, view string
	var signal, distance int
	var hit Hit
	var vector *pgvector.HalfVector
	var bits pgtype.Bits
	err := row.Scan(&id, &bank, &p.Query.SHA256, &p.Upload, &signal, &view, &hit.Score, &hit.Similarity, &distance,
		&hit.BlockAt, &hit.ReviewAt, &p.Query.Penalty, &vector, &bits)
	if err != nil {
		return p, err
	}
	switch signal {
	case 0, 1:
		p.Hash = &HashHit{FlaggedID: id, Bank: bank, View: view, Exact: signal == 0, Distance: distance}
	default:
		hit.FlaggedID, hit.Bank, hit.View = id, bank, view
		p.Near = &hit
	}
	if vector != nil {
		p.Query.Vector = vector.Slice()[:r.dims]
	}
	if bits.Valid {
		p.Query.PDQ.Quality = pdq.MinQuality // and no less, or it were not kept
		copy(p.Query.PDQ.Hash[:], bits.Bytes)
	}
	return p, nil
}
