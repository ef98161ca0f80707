package matchdb

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestIndexedScoreEqualsTheFormula(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	var qs []Query
	var flags []NewFlag
	for i := range 50 {
		f := newFlag("default", fmt.Sprint(i), random(r))
		f.Embeddings[0].Penalty = 0.4 * r.Float32()
		mustFlag(t, db, f)
		flags = append(flags, f)
		qs = append(qs, Query{Vector: near(r, f.Embeddings[0].Vector, r.Float64()), Penalty: 0.4 * r.Float32()})
	}
	worst := 0.0
	for i, hits := range match(t, db, qs...) {
		best, similarity := math.Inf(-1), 0.0
		for _, f := range flags {
			e := f.Embeddings[0]
			cosine := innerProduct(qs[i].Vector, e.Vector)
			if score := cosine - float64(qs[i].Penalty) - float64(e.Penalty); score > best {
				best, similarity = score, cosine
			}
		}
		require.Len(t, hits, 1)
		require.InDelta(t, best, hits[0].Score, Tolerance)
		require.InDelta(t, similarity, hits[0].Similarity, Tolerance)
		worst = max(worst, math.Abs(best-hits[0].Score), math.Abs(similarity-hits[0].Similarity))
	}
	t.Logf("largest difference from the formula: %.1e", worst)
}

func TestMatchGivesThresholdsAndViewOfTheBest(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(2, 2))
	v, mirrored := random(r), random(r)
	f := newFlag("default", "a", v)
	f.Embeddings = append(f.Embeddings, Embedding{View: "flip-horizontal", Vector: mirrored})
	flag := mustFlag(t, db, f)

	hit := match(t, db, Query{Vector: mirrored})[0][0]
	require.Equal(t, flag.ID, hit.FlaggedID)
	require.Equal(t, "flip-horizontal", hit.View)
	require.Equal(t, []float64{0.5, 0.4}, []float64{hit.BlockAt, *hit.ReviewAt})

	review := 0.7
	require.NoError(t, db.SetBank(t.Context(), "default", testModel.Fingerprint, Thresholds{0.8, &review}, "ann", ""))
	hit = match(t, db, Query{Vector: mirrored})[0][0]
	require.Equal(t, []float64{0.8, 0.7}, []float64{hit.BlockAt, *hit.ReviewAt})
	require.NoError(t, db.SetBank(t.Context(), "default", testModel.Fingerprint, Thresholds{BlockAt: 0.9}, "ann", ""))
	hit = match(t, db, Query{Vector: mirrored})[0][0]
	require.Equal(t, 0.9, hit.BlockAt)
	require.Nil(t, hit.ReviewAt)
}

func TestMatchOfNothing(t *testing.T) {
	db, _ := library(t)
	q := Query{Vector: random(rand.New(rand.NewPCG(3, 3)))}
	require.Equal(t, [][]Hit{nil, nil}, match(t, db, q, q))
	require.Empty(t, match(t, db))
	hits, err := db.Match(t.Context(), sum256("another"), []Query{q})
	require.NoError(t, err)
	require.Equal(t, [][]Hit{nil}, hits)

	// A model that is registered after the moderator started to ask for it.
	later := Model{Name: "later", Fingerprint: sum256("another"), Dims: dims, BlockAt: 1, ReviewAt: 1}
	require.NoError(t, db.RegisterModel(t.Context(), later))
	f := newFlag("default", "a", q.Vector)
	f.Model = later.Fingerprint
	flag := mustFlag(t, db, f)
	hits, err = db.Match(t.Context(), later.Fingerprint, []Query{q})
	require.NoError(t, err)
	require.Equal(t, flag.ID, hits[0][0].FlaggedID)
	require.Empty(t, match(t, db, q)[0], "the other model's embedding")

	for _, wrong := range [][]float32{q.Vector[1:], append(slices.Clone(q.Vector), 0)} {
		_, err = db.Match(t.Context(), testModel.Fingerprint, []Query{q, {Vector: wrong}})
		require.ErrorIs(t, err, ErrInvalid)
		require.ErrorContains(t, err, "query 1: ")
	}
}

// Many near copies in one bank, or in a disabled one, must not hide another bank's only flag.
func TestNearCopiesHideNoBank(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	for _, bank := range []string{"crowd", "off", "lone", "empty"} {
		require.NoError(t, db.AddBank(t.Context(), bank, "ann", ""))
	}
	v := random(r)
	copies := func(n int) (vectors [][]float32) {
		for range n {
			vectors = append(vectors, near(r, v, 0.2))
		}
		return vectors
	}
	fill(t, db, "crowd", copies(3*nearestRows), noPenalty)
	fill(t, db, "off", copies(5*nearestRows), noPenalty)
	require.NoError(t, db.DisableBank(t.Context(), "off", "ann", ""))
	lone := mustFlag(t, db, newFlag("lone", "lone", near(r, v, 1))) // a cosine of about 0.7: above review, below every copy
	require.Greater(t, match(t, db, Query{Vector: v})[0][1].Score, 0.5)

	hits := match(t, db, Query{Vector: v}, Query{Vector: random(r)}, Query{Vector: near(r, v, 0.1)})
	for _, i := range []int{0, 2} {
		require.Len(t, hits[i], 2)
		require.Equal(t, "crowd", hits[i][0].Bank)
		require.Equal(t, lone.ID, hits[i][1].FlaggedID)
	}

	require.NoError(t, db.DisableBank(t.Context(), "crowd", "ann", ""))
	hits = match(t, db, Query{Vector: v})
	require.Len(t, hits[0], 1)
	require.Equal(t, lone.ID, hits[0][0].FlaggedID)
	require.NoError(t, db.EnableBank(t.Context(), "off", "ann", ""))
	require.Equal(t, "off", match(t, db, Query{Vector: v})[0][0].Bank)
}

// Rows that are dead and not vacuumed yet must not hide those that live.
func TestDeadRowsHideNothing(t *testing.T) {
	db, url := library(t)
	require.NoError(t, exec(t, url, "ALTER TABLE flagged_embedding_1 SET (autovacuum_enabled = off)"))
	r := rand.New(rand.NewPCG(5, 5))
	v := random(r)
	var copies [][]float32
	for range 700 {
		copies = append(copies, near(r, v, 0.1))
	}
	fill(t, db, "default", copies, noPenalty)
	kept := mustFlag(t, db, newFlag("default", "kept", near(r, v, 0.8)))
	require.NoError(t, exec(t, url, `UPDATE flagged_image SET retracted_at = now(), retracted_by = 'ann', retract_reason = 'all'
		WHERE created_by = 'fill'`))
	hits := match(t, db, Query{Vector: v})[0]
	require.Len(t, hits, 1)
	require.Equal(t, kept.ID, hits[0].FlaggedID)
}

func TestMatchAgreesWithTheExactScan(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	r := rand.New(rand.NewPCG(6, 6))
	banks := map[string][][]float32{}
	penalties := map[string][]float32{}
	for _, bank := range []string{"default", "spam"} {
		for range 600 {
			banks[bank] = append(banks[bank], random(r))
			penalties[bank] = append(penalties[bank], 0.2*r.Float32())
		}
		fill(t, db, bank, banks[bank], func(i int) float32 { return penalties[bank][i] })
	}
	qs := make([]Query, 64)
	for i := range qs {
		qs[i] = Query{Vector: near(r, banks["spam"][i], 0.9), Penalty: 0.1}
	}
	for i, hits := range match(t, db, qs...) {
		require.True(t, sort.SliceIsSorted(hits, func(a, b int) bool { return hits[a].Score > hits[b].Score }))
		found := map[string]float64{}
		for _, h := range hits {
			found[h.Bank] = h.Score
		}
		for bank, vectors := range banks {
			best := math.Inf(-1)
			for j, v := range vectors {
				best = max(best, innerProduct(v, qs[i].Vector)-float64(penalties[bank][j])-float64(qs[i].Penalty))
			}
			if best >= testModel.ReviewAt {
				require.InDelta(t, best, found[bank], Tolerance, "query %d, bank %s", i, bank)
			}
		}
	}
}

// The plan of the statement that Match runs, for a batch of 32: it reads the candidates, and rows that the index lacks.
func TestMatchReadsCandidatesOnly(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(7, 7))
	fill(t, db, "default", randoms(r, 2000), noPenalty)
	known, err := db.model(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	qs := make([]Query, 32)
	for i := range qs {
		qs[i].Vector = random(r)
	}
	sketches := db.sketchesOf(known)
	have, err := sketches.get(t.Context())
	require.NoError(t, err)
	added := mustFlag(t, db, newFlag("default", "fresh", random(r)))
	places, err := nearest(have, qs, have.set.lowestThreshold())
	require.NoError(t, err)
	vectors, penalties, err := known.queryColumns(qs)
	require.NoError(t, err)
	named := places.arguments(vectors, penalties)
	named["snapshot"] = have.snapshot
	require.NotContains(t, places.images, added.ID)
	text := explain(t, db, sketches.compare, named)
	var plan []struct{ Plan node }
	require.NoError(t, json.Unmarshal(text, &plan))
	near := plan[0].Plan.find(func(n node) bool { return n.Subplan == "CTE compared" })
	require.NotNil(t, near, "%s", text)
	candidates := near.find(func(n node) bool { return n.Index == "flagged_embedding_1_pkey" })
	compared := 0
	for i, score := range places.scores {
		if i < 4 || places.queries[i] != places.queries[i-4] || score+sketchError >= testModel.ReviewAt {
			compared++
		}
	}
	require.Len(t, places.images, compared)
	require.Less(t, compared, len(qs)*nearestRows/2)
	require.Equal(t, compared, candidates.Loops, "the nearest, and what may reach a threshold: %s", text)
	fresh := plan[0].Plan.find(func(n node) bool { return n.Index == "flagged_embedding_1_added_idx" })
	require.Equal(t, []int{1, 1}, []int{fresh.Loops, fresh.Rows}, "%s", text)
	require.Nil(t, plan[0].Plan.find(func(n node) bool { return n.Type == "Seq Scan" && strings.HasPrefix(n.Relation, "flagged") }), "%s", text)
	exact := plan[0].Plan.find(func(n node) bool { return n.Relation != "" && strings.Contains(n.Filter+n.Condition, "bank_id") })
	require.NotNil(t, exact)
	require.Zero(t, exact.Loops, "banks are scanned only where the sketches prove nothing")
}

// node is what the test reads of a plan.
type node struct {
	Type      string `json:"Node Type"`
	Subplan   string `json:"Subplan Name"`
	Relation  string `json:"Relation Name"`
	Index     string `json:"Index Name"`
	Filter    string `json:"Filter"`
	Condition string `json:"Index Cond"`
	Loops     int    `json:"Actual Loops"`
	Rows      int    `json:"Actual Rows"`
	Plans     []node `json:"Plans"`
}

func (n node) find(is func(node) bool) *node {
	if is(n) {
		return &n
	}
	for _, child := range n.Plans {
		if found := child.find(is); found != nil {
			return found
		}
	}
	return nil
}

// A batch is one round trip of prepared statements.
func TestMatchIsOneRoundTrip(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(8, 8))
	mustFlag(t, db, newFlag("default", "a", random(r)))
	qs := make([]Query, 32)
	for i := range qs {
		qs[i].Vector = random(r)
	}
	match(t, db, qs...)
	log := &queryLog{}
	config := db.matching.Config()
	config.ConnConfig.Tracer = log
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	traced := &DB{Vectors: inMemory, pool: db.pool, matching: pool, life: t.Context()}
	defer pool.Close()
	match(t, traced, qs...)
	*log = queryLog{}
	match(t, traced, qs...)
	require.Equal(t, 1, log.batches)
	require.Zero(t, log.alone)
	require.Len(t, log.sql, 3)
	require.Contains(t, log.sql[1], "WITH ORDINALITY")
}

// The statements of a batch see one snapshot: what is committed between them is in none or in all.
func TestABatchSeesOneSnapshot(t *testing.T) {
	db, url := library(t)
	gate, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = gate.Close(context.Background()) }()
	_, err = gate.Exec(t.Context(), "SELECT pg_advisory_lock(1)")
	require.NoError(t, err)
	var before, after int
	var batch pgx.Batch
	const count = "SELECT count(*) FROM bank"
	batch.Queue(count).QueryRow(func(row pgx.Row) error { return row.Scan(&before) })
	batch.Queue("SELECT pg_advisory_lock_shared(1)")
	batch.Queue(count).QueryRow(func(row pgx.Row) error { return row.Scan(&after) })
	done := make(chan error, 1)
	go func() { done <- db.matching.SendBatch(t.Context(), &batch).Close() }()
	require.Eventually(t, func() bool {
		var waiting bool
		require.NoError(t, gate.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waiting))
		return waiting
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, db.AddBank(t.Context(), "later", "ann", ""))
	_, err = gate.Exec(t.Context(), "SELECT pg_advisory_unlock(1)")
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Equal(t, []int{1, 1}, []int{before, after})
	db.matching.Reset() // the connection holds the lock
}

func BenchmarkMatch32(b *testing.B) {
	db, _ := library(b)
	r := rand.New(rand.NewPCG(9, 9))
	var vectors [][]float32
	for range 10_000 {
		vectors = append(vectors, random(r))
	}
	fill(b, db, "default", vectors, noPenalty)
	qs := make([]Query, 32)
	for i := range qs {
		qs[i].Vector = random(r)
	}
	for b.Loop() {
		match(b, db, qs...)
	}
}

// queryLog notes what a connection sends: the statements of batches, and statements alone.
type queryLog struct {
	batches, alone int
	sql            []string
}

func (l *queryLog) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	l.alone++
	return ctx
}

func (l *queryLog) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (l *queryLog) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	l.batches++
	return ctx
}

func (l *queryLog) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	l.sql = append(l.sql, data.SQL)
}

func (l *queryLog) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
