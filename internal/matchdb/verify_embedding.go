package matchdb

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
	"github.com/x448/float16"

	"moderator/internal/dot"
)

// slack is above what two ways to sum the same products differ by; verdicts nearer to a threshold are not counted.
const slack = 1e-4

// scanned is how many rows are compared at a time, and part how many queries: a part of the products is 1 MiB.
const (
	scanned = 1024
	part    = 256
)

// embeddingCheck holds what is found by one model's embeddings against all of them.
type embeddingCheck struct {
	db      *DB
	model   registered
	banks   map[int]limit
	options VerifyOptions
	random  *rand.Rand

	queries   []Query
	queryRows []float32             // as the database rounds it, a row a query
	best      []map[int]nearestFlag // for each query, by bank
	damaged   int64
	examples  []uuid.UUID
}

// nearestFlag is the row of a bank that scores best.
type nearestFlag struct {
	score float32
	image uuid.UUID
	view  string
}

// where are the model's rows, of the table that readers may read, unlike its partitions.
func (c *embeddingCheck) where() string { return fmt.Sprintf("model_id = %d", c.model.id) }

func (c *embeddingCheck) run(ctx context.Context) (Agreement, error) {
	if err := c.draw(ctx); err != nil {
		return Agreement{}, err
	}
	a := Agreement{Queries: len(c.queries)}
	var err error
	if a.Rows, err = c.scan(ctx); err != nil {
		return a, err
	}
	hits := make([][]Hit, len(c.queries))
	err = inParts(ctx, len(c.queries), 32, func(ctx context.Context, from, to int) error {
		found, err := c.db.Match(ctx, c.options.Model, c.queries[from:to])
		copy(hits[from:to], found)
		return err
	})
	if err != nil {
		return a, err
	}
	for i, best := range c.best {
		for id, flag := range best {
			if err := c.judge(ctx, &a, c.banks[id], flag, hits[i]); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// draw makes the queries from a sample of the rows.
func (c *embeddingCheck) draw(ctx context.Context) error {
	var all int64
	if err := c.db.pool.QueryRow(ctx, "SELECT count(*) FROM flagged_embedding WHERE "+c.where()).Scan(&all); err != nil {
		return err
	}
	rows, err := c.db.pool.Query(ctx, fmt.Sprintf(
		"SELECT penalty, embedding FROM flagged_embedding TABLESAMPLE BERNOULLI (%g) REPEATABLE (%d) WHERE %s",
		sampled(c.options.Sample, all), c.options.Seed, c.where()))
	if err != nil {
		return err
	}
	var penalty float64
	var stored pgvector.HalfVector
	var penalties []float64
	var vectors [][]float32
	_, err = pgx.ForEachRow(rows, []any{&penalty, &stored}, func() error {
		penalties, vectors = append(penalties, penalty), append(vectors, normalised(stored.Slice()[:c.model.dims]))
		return nil
	})
	if err != nil || len(vectors) == 0 {
		return err
	}
	var reviewAt float64
	if err := c.db.pool.QueryRow(ctx, "SELECT review_at FROM model WHERE id = $1", c.model.id).Scan(&reviewAt); err != nil {
		return err
	}
	for i := range c.options.Sample {
		k := i % len(vectors)
		// The cosine at which the score is about the threshold, as near copies have about the same penalty.
		threshold := max(0, min(reviewAt+2*penalties[k], 0.999))
		toward, cosine := noise(c.random, c.model.dims), threshold+(1-threshold)*c.random.Float64()
		if i%4 == 3 {
			toward, cosine = vectors[c.random.IntN(len(vectors))], threshold*c.random.Float64()
		}
		q := turned(vectors[k], toward, cosine)
		c.queries = append(c.queries, Query{Vector: q, Penalty: c.options.Penalty(q)})
		for _, x := range q {
			c.queryRows = append(c.queryRows, float16.Fromfloat32(x).Float32())
		}
		c.queryRows = append(c.queryRows, 1)
		c.best = append(c.best, map[int]nearestFlag{})
	}
	return nil
}

// noise is a random direction.
func noise(r *rand.Rand, dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// turned is the unit vector v turned towards another vector, so that the cosine with v is the given one.
func turned(v, toward []float32, cosine float64) []float32 {
	var along float64
	for i := range v {
		along += float64(v[i]) * float64(toward[i])
	}
	across := make([]float32, len(v))
	for i := range v {
		across[i] = toward[i] - float32(along)*v[i]
	}
	across = normalised(across)
	sine := math.Sqrt(1 - cosine*cosine)
	for i := range v {
		across[i] = float32(cosine)*v[i] + float32(sine)*across[i]
	}
	return normalised(across)
}

// normalised scales v to length 1, in place; a vector of nothing stays.
func normalised(v []float32) []float32 {
	if n := length(v); n > 1e-6 {
		for i := range v {
			v[i] = float32(float64(v[i]) / n)
		}
	}
	return v
}

func length(v []float32) float64 {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	return math.Sqrt(square)
}

// scan compares every row with every query.
func (c *embeddingCheck) scan(ctx context.Context) (int64, error) {
	rows, err := c.db.pool.Query(ctx, "SELECT image_id, bank_id, view, penalty, embedding FROM flagged_embedding WHERE "+c.where())
	if err != nil {
		return 0, err
	}
	var all int64
	var b block
	flush := func() error {
		err := c.compare(ctx, &b)
		all += int64(len(b.banks))
		b.rows, b.banks = b.rows[:0], b.banks[:0]
		b.flags = b.flags[:0]
		return err
	}
	var flag nearestFlag
	var bank int
	var penalty float32
	var stored pgvector.HalfVector
	_, err = pgx.ForEachRow(rows, []any{&flag.image, &bank, &flag.view, &penalty, &stored}, func() error {
		row := stored.Slice()
		c.inspect(row, penalty, flag.image)
		b.rows, b.banks, b.flags = append(b.rows, row...), append(b.banks, bank), append(b.flags, flag)
		if len(b.banks) == scanned {
			return flush()
		}
		return nil
	})
	if err != nil {
		return all, err
	}
	return all, flush()
}

// inspect counts rows that can never score as they should.
func (c *embeddingCheck) inspect(row []float32, penalty float32, image uuid.UUID) {
	n := length(row[:c.model.dims])
	if math.Abs(n-1) <= 0.01 && math.Abs(float64(penalty+row[c.model.dims]-1)) <= slack {
		return
	}
	if c.damaged++; len(c.examples) < examples {
		c.examples = append(c.examples, image)
	}
}

// block is some consecutive rows.
type block struct {
	rows  []float32
	banks []int
	flags []nearestFlag
}

func (c *embeddingCheck) compare(ctx context.Context, b *block) error {
	if len(b.banks) == 0 {
		return nil
	}
	products := sync.Pool{New: func() any { return new([part * scanned]float32) }}
	dims := c.model.dims + 1
	return inParts(ctx, len(c.queries), part, func(_ context.Context, from, to int) error {
		space := products.Get().(*[part * scanned]float32)
		defer products.Put(space)
		out := space[:(to-from)*len(b.banks)]
		dot.Products(c.queryRows[from*dims:to*dims], b.rows, dims, out)
		for i := from; i < to; i++ {
			for j, bank := range b.banks {
				score := out[(i-from)*len(b.banks)+j] - c.queries[i].Penalty - 1
				if limit, enabled := c.banks[bank]; !enabled || limit.band(float64(score)) == 0 {
					continue
				}
				if old, ok := c.best[i][bank]; !ok || score > old.score {
					c.best[i][bank] = nearestFlag{score, b.flags[j].image, b.flags[j].view}
				}
			}
		}
		return nil
	})
}

// judge counts one bank's verdict on a query.
func (c *embeddingCheck) judge(ctx context.Context, a *Agreement, bank limit, flag nearestFlag, hits []Hit) error {
	score := float64(flag.score)
	band := bank.band(score - slack)
	if band == 0 {
		return nil
	}
	var got *float64
	for _, h := range hits {
		if h.Bank == bank.name {
			got = &h.Score // the best of the bank is first
			break
		}
	}
	if got != nil && bank.band(*got+slack) >= band {
		a.Expected++
		a.Found++
		return nil
	}
	// The flag may have been retracted, or its bank disabled, since the rows were read.
	var there bool
	err := c.db.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM flagged_embedding e JOIN bank b ON b.id = e.bank_id AND b.enabled "+
		"WHERE e.image_id = $1 AND e.view = $2 AND "+c.where()+")", flag.image, flag.view).Scan(&there)
	if err != nil || !there {
		return err
	}
	a.Expected++
	threshold := bank.block
	if band == 1 {
		threshold = bank.review
	}
	if over := score - threshold; a.Worst == nil || over > a.Worst.Over {
		a.Worst = &Miss{FlaggedID: flag.image, Bank: bank.name, View: flag.view, Score: score, Over: over, Got: got}
	}
	return nil
}
