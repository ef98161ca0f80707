package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"moderator/internal/dot"
	"moderator/internal/embed"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

const (
	matchDims      = 256    // the shipped model's
	matchQueries   = 10_000 // edits whose match must be found
	matchStranger  = 100    // queries that are nobody's edit, held against the exact scan
	backgroundSize = 4096   // vectors that penalties are from, as many as the shipped model's
	matchSingles   = 1_000  // queries asked one by one
	matchBatch     = 32
	liveTime       = 4 * time.Second // of flagging one by one
)

// catalogue is a library of drawn flags, and queries of it.
type catalogue struct {
	cloud      *cloud
	background *embed.Background
	flags      []stored
	threshold  float64
	edits      []matchdb.Query // each an edit of one flag, whose score reaches the threshold
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
	if err := part.store(ctx, conn, c.flags); err != nil {
		return err
	}
	ours, err := b.matchSketches(ctx, c, fingerprint)
	if err != nil {
		return err
	}
	b.report.add("match", ours.fields(size, c)...)
	for _, r := range rivals {
		s, err := matchRival(ctx, conn, part, c, r)
		if err != nil {
			return err
		}
		b.report.add("match", s.fields(size, c)...)
	}
	if size == 200_000 || size == 1_000_000 {
		b.report.below(fmt.Sprintf("match p99 ms at %d", size), percentile(ours.single, 99), 10)
		b.report.atLeast(fmt.Sprintf("match recall at the threshold at %d", size), ours.recall, 0.9999)
	}
	_, err = conn.Exec(ctx, "TRUNCATE "+part.table) // the next size has the memory to itself
	return err
}

// newCatalogue draws the library. Its threshold is the score that one of a million pairs of strangers reaches, which is how
// models are calibrated.
func newCatalogue(size int) *catalogue {
	c := &catalogue{cloud: newCloud(matchDims, 3)}
	c.background = embed.NewBackground(matchDims, slices.Concat(c.cloud.draw(backgroundSize, 7)...))
	c.flags = c.cloud.flags(size, 4)
	c.weigh(c.flags)
	const calibrating = 1000
	strangers := c.queries(c.cloud.draw(calibrating+matchStranger, 5))
	c.threshold = c.calibrate(strangers[:calibrating])
	c.strangers = strangers[calibrating:]
	for seed := uint64(100); len(c.edits) < matchQueries; seed++ {
		c.edits = append(c.edits, c.edit(matchQueries-len(c.edits), seed)...)
	}
	return c
}

// weigh measures the penalties of flags against the background.
func (c *catalogue) weigh(flags []stored) {
	vectors := make([][]float32, len(flags))
	for i, f := range flags {
		vectors[i] = f.vector
	}
	for i, q := range c.queries(vectors) {
		flags[i].penalty = matchdb.Rounded(q.Penalty + recognise.ViewPenalty(flags[i].view))
	}
}

// queries ask for vectors.
func (c *catalogue) queries(vectors [][]float32) []matchdb.Query {
	qs := make([]matchdb.Query, len(vectors))
	const chunk = 1000
	onCores((len(vectors)+chunk-1)/chunk, func(part int) {
		from, to := part*chunk, min(len(vectors), (part+1)*chunk)
		for i, penalty := range c.background.Penalties(vectors[from:to]) {
			qs[from+i] = matchdb.Query{Vector: vectors[from+i], Penalty: penalty}
		}
	})
	return qs
}

// edit draws n edits of stored flags, and returns those that reach the threshold.
func (c *catalogue) edit(n int, seed uint64) []matchdb.Query {
	sources, edited := make([]stored, n), make([][]float32, n)
	inChunks(n, seed, func(i int, random *rand.Rand) {
		row := random.IntN(len(c.flags))
		if random.Float64() > turnedEdits {
			row -= row % len(flagViews)
		}
		sources[i] = c.flags[row]
		// The cosine at which the score of an edit of the same penalty is the threshold, and from there up to nearly the same picture.
		least := min(0.99, c.threshold+2*float64(sources[i].penalty))
		edited[i] = c.cloud.vector(c.cloud.edit(sources[i].picture, least+random.Float64()*(0.99-least), random))
	})
	var found []matchdb.Query
	for i, q := range c.queries(edited) {
		if float64(dot.Product(q.Vector, sources[i].vector)-q.Penalty-sources[i].penalty) >= c.threshold+2*matchdb.Tolerance {
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
			j := (i*1000 + k) % len(c.flags)
			best[i] = max(best[i], float64(dot.Product(asked[i].Vector, c.flags[j].vector)-asked[i].Penalty-c.flags[j].penalty))
		}
	})
	return slices.Max(best)
}

// exact says whether the exact scan finds a match of q, and whether that is too near the threshold to be sure.
func (c *catalogue) exact(q matchdb.Query) (match, doubtful bool) {
	best := math.Inf(-1)
	for _, f := range c.flags {
		best = max(best, float64(dot.Product(q.Vector, f.vector)-q.Penalty-f.penalty))
	}
	return best >= c.threshold, math.Abs(best-c.threshold) <= matchdb.Tolerance
}
