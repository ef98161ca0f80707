package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/matchdb"
)

// searched is the measurements of one kind of index.
type searched struct {
	index   string
	build   time.Duration
	bytes   int64
	single  []float64 // ms
	batch   []float64 // ms, of a whole batch
	recall  float64   // of the edits
	wrong   int       // unrelated queries on which the index differs from the exact scan
	perLive float64   // flags a second, inserted one by one; 0: not measured
}

func (s searched) fields(size int, c *catalogue) []field {
	fields := []field{
		{"flags", size},
		{"index", s.index},
		{"single_p50_ms", percentile(s.single, 50)},
		{"single_p99_ms", percentile(s.single, 99)},
		{"batch32_p50_ms", percentile(s.batch, 50)},
		{"batch32_p99_ms", percentile(s.batch, 99)},
		{"recall", fmt.Sprintf("%.4f", s.recall)},
		{"of", len(c.edits)},
		{"strangers_wrong", fmt.Sprintf("%d/%d", s.wrong, len(c.strangers))},
		{"threshold", c.threshold},
		{"build_s", s.build.Seconds()},
		{"size_mb", s.bytes >> 20},
	}
	if s.perLive > 0 {
		fields = append(fields, field{"live_flags_per_s", s.perLive})
	}
	return fields
}

// searchFunc runs a batch of queries, and reports for each whether it matches.
type searchFunc func(ctx context.Context, qs []matchdb.Query) ([]bool, error)

// query measures times and recall. Recall is measured in batches, whose results are those of single queries.
func (s *searched) query(ctx context.Context, c *catalogue, do searchFunc) error {
	timed := func(qs []matchdb.Query, into *[]float64) ([]bool, error) {
		began := time.Now()
		found, err := do(ctx, qs)
		*into = append(*into, time.Since(began).Seconds()*1000)
		return found, err
	}
	var warm []float64
	for i := 0; i < matchSingles; i += matchBatch {
		if _, err := timed(c.edits[i:i+matchBatch], &warm); err != nil {
			return err
		}
	}
	for i := range matchSingles {
		if _, err := timed(c.edits[i:i+1], &s.single); err != nil {
			return err
		}
	}
	hits := 0
	for i := 0; i < len(c.edits); i += matchBatch {
		found, err := timed(c.edits[i:min(i+matchBatch, len(c.edits))], &s.batch)
		if err != nil {
			return err
		}
		for _, ok := range found {
			if ok {
				hits++
			}
		}
	}
	s.recall = float64(hits) / float64(len(c.edits))
	found, err := do(ctx, c.strangers)
	if err != nil {
		return err
	}
	differ := make([]bool, len(found))
	onCores(len(found), func(i int) {
		match, doubtful := c.exact(c.strangers[i])
		differ[i] = match != found[i] && !doubtful
	})
	for _, d := range differ {
		if d {
			s.wrong++
		}
	}
	return nil
}

// matchSketches measures moderator's own search.
func (b *bench) matchSketches(ctx context.Context, c *catalogue, fingerprint string) (s searched, err error) {
	s.index = "sketches"
	db, err := matchdb.Open(ctx, b.servers.databaseURL) // its candidate index is empty
	if err != nil {
		return s, err
	}
	defer db.Close()
	began := time.Now()
	if _, s.bytes, err = db.Warm(ctx, fingerprint); err != nil {
		return s, err
	}
	s.build = time.Since(began)
	err = s.query(ctx, c, func(ctx context.Context, qs []matchdb.Query) ([]bool, error) {
		hits, err := db.Match(ctx, fingerprint, qs)
		found := make([]bool, len(qs))
		for i, row := range hits {
			found[i] = len(row) > 0 && row[0].Score >= row[0].BlockAt
		}
		return found, err
	})
	if err != nil {
		return s, err
	}
	return s, s.insert(ctx, db, c, fingerprint)
}

// make builds an index, and measures the time and its size.
func (s *searched) make(ctx context.Context, conn *pgx.Conn, statement, index, table string) error {
	began := time.Now()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	s.build = time.Since(began)
	return conn.QueryRow(ctx, "SELECT pg_relation_size($1::regclass)", index).Scan(&s.bytes)
}

// insert flags pictures one by one, as flagctl does, for a while.
func (s *searched) insert(ctx context.Context, db *matchdb.DB, c *catalogue, fingerprint string) error {
	const most = 20_000
	fresh := c.cloud.flags(most, 8)
	c.weigh(fresh)
	began, flags := time.Now(), 0
	for ; time.Since(began) < liveTime && flags < most; flags++ {
		sum := sha256.Sum256([]byte(fmt.Sprint("live", fingerprint, flags)))
		flag := matchdb.NewFlag{Bank: "default", SHA256: hex.EncodeToString(sum[:]), By: "bench", Model: fingerprint}
		for ; len(fresh) > 0 && fresh[0].flag == flags; fresh = fresh[1:] {
			flag.Embeddings = append(flag.Embeddings, matchdb.Embedding{View: string(fresh[0].view), Vector: fresh[0].vector, Penalty: fresh[0].penalty})
		}
		if _, err := db.Flag(ctx, flag); err != nil {
			return err
		}
	}
	s.perLive = float64(flags) / time.Since(began).Seconds()
	return nil
}

// rival is an index of pgvector that could replace the candidate index. WIDTH stands for the width of stored vectors.
type rival struct {
	name       string
	expression string // the indexed expression
	operators  string
	distance   string // of q.v
	ranked     int    // how many of the index's nearest are re-ranked by their vectors
}

// candidates is how many candidates an index keeps during a search.
const candidates = 200

var rivals = []rival{
	{"halfvec_hnsw", "embedding::halfvec(WIDTH)", "halfvec_ip_ops", "<#> q.v", 1},
	{"bits_hnsw_reranked", "binary_quantize(embedding::halfvec(WIDTH))::bit(WIDTH)", "bit_hamming_ops", "<~> binary_quantize(q.v)::bit(WIDTH)", candidates},
}

// matchRival builds an index, measures it and drops it.
func matchRival(ctx context.Context, conn *pgx.Conn, part shelf, c *catalogue, r rival) (searched, error) {
	s := searched{index: r.name}
	with := func(text string) string { return strings.ReplaceAll(text, "WIDTH", strconv.Itoa(matchDims+1)) }
	index := part.table + "_" + r.name
	statement := fmt.Sprintf("CREATE INDEX %s ON %s USING hnsw ((%s) %s) WITH (m = 16, ef_construction = 128)", index, part.table, with(r.expression), r.operators)
	if err := s.make(ctx, conn, statement, index, part.table); err != nil {
		return s, err
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf("SET hnsw.ef_search = %d; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off", candidates)); err != nil {
		return s, err
	}
	search := fmt.Sprintf(`SELECT e.score FROM unnest($1::halfvec[], $2::float8[]) WITH ORDINALITY AS q (v, penalty, ord)
		CROSS JOIN LATERAL (SELECT max(-(n.embedding <#> q.v) - q.penalty - 1) AS score FROM (
			SELECT embedding FROM %s ORDER BY %s %s LIMIT %d) n) e ORDER BY q.ord`,
		part.table, with(r.expression), with(r.distance), r.ranked)
	err := s.query(ctx, c, func(ctx context.Context, qs []matchdb.Query) ([]bool, error) {
		vectors, penalties := make([]pgvector.HalfVector, len(qs)), make([]float64, len(qs))
		for i, q := range qs {
			vectors[i] = matchdb.QueryVector(q.Vector)
			penalties[i] = float64(q.Penalty)
		}
		rows, err := conn.Query(ctx, search, vectors, penalties)
		if err != nil {
			return nil, err
		}
		found := make([]bool, 0, len(qs))
		var score float64
		_, err = pgx.ForEachRow(rows, []any{&score}, func() error {
			found = append(found, score >= c.threshold)
			return nil
		})
		return found, err
	})
	if err != nil {
		return s, err
	}
	_, err = conn.Exec(ctx, "DROP INDEX "+index)
	return s, err
}
