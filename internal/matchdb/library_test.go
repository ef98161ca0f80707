package matchdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

const dims = 32

var testModel = Model{Name: "test", Fingerprint: strings.Repeat("ab", 32), Dims: dims, BlockAt: 0.5, ReviewAt: 0.4}

// library is a migrated database of the test's own with one model.
func library(t testing.TB) (*DB, string) {
	t.Helper()
	url := testenv.Postgres(t)
	_, _, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	db := open(t, url)
	require.NoError(t, db.RegisterModel(t.Context(), testModel))
	return db, url
}

func open(t testing.TB, url string) *DB {
	t.Helper()
	db, err := Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// as returns the URL for a fresh log-in user of that role.
func as(t testing.TB, db *DB, base, role string) string {
	t.Helper()
	user := fmt.Sprintf("u_%s_%d", role, rand.Uint64())
	_, err := db.pool.Exec(t.Context(), "CREATE ROLE "+user+" LOGIN IN ROLE "+role)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.pool.Exec(context.Background(), "DROP ROLE "+user)
		require.NoError(t, err)
	})
	u, err := url.Parse(base)
	require.NoError(t, err)
	q := u.Query()
	q.Set("user", user)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	return u.String()
}

func userOf(t testing.TB, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u.Query().Get("user")
}

func random(r *rand.Rand) []float32 { return testenv.RandomUnit(r, dims) }

// near is a copy of v: their cosine is about 1/sqrt(1 + noise²).
func near(r *rand.Rand, v []float32, noise float64) []float32 {
	w := make([]float32, len(v))
	for i := range v {
		w[i] = v[i] + float32(noise/math.Sqrt(float64(len(v)))*r.NormFloat64())
	}
	return testenv.Unit(w)
}

func innerProduct(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func sum256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func newFlag(bank, name string, vector []float32) NewFlag {
	return NewFlag{
		Bank: bank, SHA256: sum256(name), Source: name, Note: "a note", By: "ann", Model: testModel.Fingerprint,
		Embeddings: []Embedding{{View: "original", Vector: vector}},
	}
}

func mustFlag(t testing.TB, db *DB, f NewFlag) FlagResult {
	t.Helper()
	r, err := db.Flag(t.Context(), f)
	require.NoError(t, err)
	return r
}

func match(t testing.TB, db *DB, qs ...Query) [][]Hit {
	t.Helper()
	hits, err := db.Match(t.Context(), testModel.Fingerprint, qs)
	require.NoError(t, err)
	require.Len(t, hits, len(qs))
	return hits
}

// fill stores many embeddings at once, each its own flag, and returns their penalties.
func fill(t testing.TB, db *DB, bank string, vectors [][]float32, penalty func(i int) float32) {
	t.Helper()
	known, err := db.model(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	penalties := make([]float32, len(vectors))
	stored := make([]pgvector.HalfVector, len(vectors))
	for i, v := range vectors {
		penalties[i] = penalty(i)
		stored[i] = StoredVector(v, penalties[i])
	}
	_, err = db.pool.Exec(t.Context(), `WITH b AS (SELECT id FROM bank WHERE name = $1), v AS (
			SELECT gen_random_uuid() AS image, e.* FROM unnest($2::real[], $3::halfvec[]) AS e (penalty, embedding)
		), i AS (
			INSERT INTO flagged_image (id, bank_id, sha256, created_by) SELECT image, b.id, sha256(image::text::bytea), 'fill' FROM v, b
			RETURNING id
		) INSERT INTO flagged_embedding SELECT $4, image, b.id, 'original', penalty, embedding FROM v JOIN i ON i.id = image, b`,
		bank, penalties, stored, known.id)
	require.NoError(t, err)
	_, err = db.pool.Exec(t.Context(), "ANALYZE")
	require.NoError(t, err)
}

func noPenalty(int) float32 { return 0 }

// exec runs SQL over a connection of its own.
func exec(t testing.TB, url, sql string) error {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also while t is cleaned up
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// explain returns the plan by which a connection of matching runs the statement: without arguments that of NULLs, and with
// them that of the statement as it ran.
func explain(t testing.TB, db *DB, s statement, named arguments) (plan json.RawMessage) {
	t.Helper()
	conn, err := db.matching.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	prepared, err := conn.Conn().Prepare(t.Context(), "explained", s.sql)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Conn().Deallocate(t.Context(), "explained")) }()
	values := make([]string, len(prepared.ParamOIDs))
	for i, oid := range prepared.ParamOIDs {
		if values[i] = "NULL"; named != nil {
			var kind string
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT $1::oid::regtype::text", oid).Scan(&kind))
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT quote_literal($1::"+kind+") || '::"+kind+"'", named[s.names[i]]).Scan(&values[i]))
		}
	}
	how := "FORMAT JSON"
	if named != nil {
		how += ", ANALYZE"
	}
	require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN ("+how+") EXECUTE explained ("+strings.Join(values, ",")+")").Scan(&plan))
	return plan
}
