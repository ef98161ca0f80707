package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"moderator/internal/matchdb"
)

const (
	matchDims     = 512
	matchQueries  = 10_000 // edits whose match must be found
	matchStranger = 100    // queries that are nobody's edit, held against the exact scan
	matchSingles  = 1_000  // queries asked one by one
	matchBatch    = 32
	liveTime      = 4 * time.Second // of flagging one by one
)

// catalogue is a library of drawn vectors, and queries of it.
type catalogue struct {
	cloud     *cloud
	vectors   [][]float32
	halves    []float32
	threshold float64
	edits     []matchdb.Query // each an edit of one vector, whose score reaches the threshold
	strangers []matchdb.Query
}

// match measures the search at each size of the library.
func (b *bench) match(ctx context.Context) error {
	for _, size := range b.Sizes {
		if err := b.matchAt(ctx, size); err != nil {
			return fmt.Errorf("%d embeddings: %w", size, err)
		}
	}
	return nil
}

func (b *bench) matchAt(ctx context.Context, size int) error {
	b.note(fmt.Sprintf("match: %d embeddings", size))
	c := newCatalogue(size)
	fingerprint := strings.Repeat(fmt.Sprintf("%016x", size), 4)
	err := b.servers.db.RegisterModel(ctx, matchdb.Model{
		Name: fmt.Sprintf("match-%d", size), Fingerprint: fingerprint, Dims: matchDims, BlockAt: c.threshold, ReviewAt: c.threshold,
	})
	if err != nil {
		return err
	}
	conn, err := b.servers.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	part, err := openShelf(ctx, conn, fingerprint)
	if err != nil {
		return err
	}
	if err := part.store(ctx, conn, c.vectors, c.halves); err != nil {
		return err
	}
	bits, err := b.matchBits(ctx, conn, part, c)
	if err != nil {
		return err
	}
	halves, err := b.matchHalves(ctx, conn, part, c, fingerprint)
	if err != nil {
		return err
	}
	for _, s := range []searched{halves, bits} {
		b.report.add("match", s.fields(size, c)...)
	}
	if size == 200_000 || size == 1_000_000 {
		b.report.below(fmt.Sprintf("match p99 ms at %d", size), percentile(halves.single, 99), 10)
		b.report.atLeast(fmt.Sprintf("match recall at the threshold at %d", size), halves.recall, 0.9999)
	}
	_, err = conn.Exec(ctx, "TRUNCATE "+part.table) // the next size has the memory to itself
	return err
}

// newCatalogue draws the library. Its threshold is the score that one of a million pairs of strangers reaches, which is how
// models are calibrated.
func newCatalogue(size int) *catalogue {
	c := &catalogue{cloud: newCloud(matchDims, 3)}
	c.vectors = c.cloud.draw(size, 4)
	random := rand.New(rand.NewPCG(uint64(size), 5))
	c.halves = make([]float32, size)
	for i := range c.halves {
		c.halves[i] = rounded(half(random))
	}
	fresh := c.cloud.draw(matchQueries+matchStranger+1000, 6)
	c.threshold = c.calibrate(fresh[:1000], random)
	fresh = fresh[1000:]
	for i := range matchQueries {
		source := random.IntN(size)
		h := c.halves[source] + float32(random.NormFloat64()*0.01)
		// The cosine at which this edit's score is the threshold, and from there up to nearly the same picture.
		least := c.threshold + float64(h+c.halves[source]) + 2*matchdb.Tolerance
		cosine := least + random.Float64()*max(0, 0.99-least)
		c.edits = append(c.edits, matchdb.Query{Vector: at(c.vectors[source], fresh[i], min(cosine, 0.9999)), Half: h})
	}
	for _, v := range fresh[matchQueries:] {
		c.strangers = append(c.strangers, matchdb.Query{Vector: v, Half: half(random)})
	}
	return c
}

// half draws what a background takes off a score, as the shipped model's does of photographs.
func half(random *rand.Rand) float32 {
	return float32(min(0.27, max(0.13, 0.185+0.026*random.NormFloat64())))
}

// calibrate is the score of the highest of a million pairs.
func (c *catalogue) calibrate(asked [][]float32, random *rand.Rand) float64 {
	best := make([]float64, len(asked))
	halves := make([]float32, len(asked))
	for i := range halves {
		halves[i] = half(random)
	}
	onCores(len(asked), func(i int) {
		best[i] = math.Inf(-1)
		for k := range 1000 {
			j := (i*1000 + k) % len(c.vectors)
			best[i] = max(best[i], float64(dot(asked[i], c.vectors[j])-halves[i]-c.halves[j]))
		}
	})
	highest := math.Inf(-1)
	for _, b := range best {
		highest = max(highest, b)
	}
	return highest
}

// exact says whether the exact scan finds a match of q, and whether that is too near the threshold to be sure.
func (c *catalogue) exact(q matchdb.Query) (match, doubtful bool) {
	best := math.Inf(-1)
	for i, v := range c.vectors {
		best = max(best, float64(dot(q.Vector, v)-q.Half-c.halves[i]))
	}
	return best >= c.threshold, math.Abs(best-c.threshold) <= matchdb.Tolerance
}
