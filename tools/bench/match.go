package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"moderator/internal/embed"
	"moderator/internal/matchdb"
)

const (
	matchDims      = 512
	matchQueries   = 10_000 // edits whose match must be found
	matchStranger  = 100    // queries that are nobody's edit, held against the exact scan
	backgroundSize = 4096   // vectors that halves are from, as many as the shipped model's
	matchSingles   = 1_000  // queries asked one by one
	matchBatch     = 32
	liveTime       = 4 * time.Second // of flagging one by one
)

// catalogue is a library of drawn vectors, and queries of it.
type catalogue struct {
	cloud      *cloud
	background *embed.Background
	vectors    [][]float32
	halves     []float32
	threshold  float64
	edits      []matchdb.Query // each an edit of one vector, whose score reaches the threshold
	strangers  []matchdb.Query
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
	c.background = embed.NewBackground(matchDims, slices.Concat(c.cloud.draw(backgroundSize, 7)...))
	c.vectors = c.cloud.draw(size, 4)
	for _, q := range c.queries(c.vectors) {
		c.halves = append(c.halves, matchdb.Rounded(q.Half))
	}
	const calibrating = 1000
	strangers := c.queries(c.cloud.draw(calibrating+matchStranger, 5))
	c.threshold = c.calibrate(strangers[:calibrating])
	c.strangers = strangers[calibrating:]
	for seed := uint64(100); len(c.edits) < matchQueries; seed++ {
		c.edits = append(c.edits, c.edit(matchQueries-len(c.edits), seed)...)
	}
	return c
}

// queries ask for vectors.
func (c *catalogue) queries(vectors [][]float32) []matchdb.Query {
	qs := make([]matchdb.Query, len(vectors))
	const chunk = 1000
	onCores((len(vectors)+chunk-1)/chunk, func(part int) {
		from, to := part*chunk, min(len(vectors), (part+1)*chunk)
		for i, half := range c.background.Halves(vectors[from:to]) {
			qs[from+i] = matchdb.Query{Vector: vectors[from+i], Half: half}
		}
	})
	return qs
}

// edit draws n edits of stored vectors, and returns those that reach the threshold.
func (c *catalogue) edit(n int, seed uint64) []matchdb.Query {
	random := rand.New(rand.NewPCG(seed, uint64(len(c.vectors))))
	sources, edited := make([]int, n), make([][]float32, n)
	for i, fresh := range c.cloud.draw(n, seed) {
		sources[i] = random.IntN(len(c.vectors))
		// The cosine at which the score of an edit of the same half is the threshold, and from there up to nearly the same picture.
		least := min(0.99, c.threshold+2*float64(c.halves[sources[i]]))
		edited[i] = at(c.vectors[sources[i]], fresh, least+random.Float64()*(0.99-least))
	}
	var found []matchdb.Query
	for i, q := range c.queries(edited) {
		if float64(dot(q.Vector, c.vectors[sources[i]])-q.Half-c.halves[sources[i]]) >= c.threshold+2*matchdb.Tolerance {
			found = append(found, q)
		}
	}
	return found
}

// calibrate is the score of the highest of a million pairs.
func (c *catalogue) calibrate(asked []matchdb.Query) float64 {
	best := make([]float64, len(asked))
	onCores(len(asked), func(i int) {
		best[i] = math.Inf(-1)
		for k := range 1000 {
			j := (i*1000 + k) % len(c.vectors)
			best[i] = max(best[i], float64(dot(asked[i].Vector, c.vectors[j])-asked[i].Half-c.halves[j]))
		}
	})
	return slices.Max(best)
}

// exact says whether the exact scan finds a match of q, and whether that is too near the threshold to be sure.
func (c *catalogue) exact(q matchdb.Query) (match, doubtful bool) {
	best := math.Inf(-1)
	for i, v := range c.vectors {
		best = max(best, float64(dot(q.Vector, v)-q.Half-c.halves[i]))
	}
	return best >= c.threshold, math.Abs(best-c.threshold) <= matchdb.Tolerance
}
