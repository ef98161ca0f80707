package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"moderator/internal/dot"
	"moderator/internal/embed"
	"moderator/internal/matchdb"
)

const (
	matchDims      = 256    // as in the shipped model
	matchQueries   = 10_000 // edits whose match must be found
	matchStranger  = 100    // unrelated queries, compared with the exact scan
	backgroundSize = 4096   // vectors of the background, as many as in the shipped model's
	matchSingles   = 1_000  // queries in batches of one
	matchBatch     = 32
	rivalsUpTo     = 200_000         // flags: indexes of more take long to build
	liveTime       = 4 * time.Second // of flagging pictures one by one
)

// catalogue is a library of drawn flags, with queries.
type catalogue struct {
	cloud      *cloud
	matrix     []float32 // the background's vectors
	background *embed.Background
	flags      []stored
	threshold  float64
	edits      []matchdb.Query // edits of flags, whose scores reach the threshold
	strangers  []matchdb.Query
}

// match measures the search at each size of the library.
func (b *bench) match(ctx context.Context) error {
	for _, size := range b.Sizes {
		if err := b.matchAt(ctx, size); err != nil {
			return fmt.Errorf("%d flags: %w", size, err)
		}
	}
	return nil
}

func (b *bench) matchAt(ctx context.Context, size int) error {
	b.note(fmt.Sprintf("match: %d flags", size))
	c := newCatalogue(size)
	m := model{name: fmt.Sprintf("match-%d", size)}
	m.dir = filepath.Join(b.dir, "models", m.name)
	folder, err := c.writeModel(m.dir)
	if err != nil {
		return err
	}
	fingerprint := folder.Fingerprint()
	err = b.servers.db.RegisterModel(ctx, matchdb.Model{
		Name: m.name, Fingerprint: fingerprint, Dims: matchDims, BlockAt: c.threshold, ReviewAt: c.threshold,
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
	if _, err := conn.Exec(ctx, "TRUNCATE flagged_image, flagged_embedding, flagged_pdq, flagged_keypoints CASCADE"); err != nil { // other sizes' and parts' flags
		return err
	}
	if err := part.store(ctx, conn, c.flags); err != nil {
		return err
	}
	if err := fillHashes(ctx, conn, part.model); err != nil {
		return err
	}
	if err := b.servers.fillPoints(ctx); err != nil {
		return err
	}
	if err := b.matchUploads(ctx, c, m, folder, size); err != nil {
		return err
	}
	ours, err := b.matchSketches(ctx, c, fingerprint)
	if err != nil {
		return err
	}
	b.report.add("match", ours.fields(size, c)...)
	for _, r := range rivals {
		if size > rivalsUpTo {
			break
		}
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
	return nil
}

// newCatalogue draws the library. Its threshold is the score that one in a million unrelated pairs reaches, as in the
// calibration of models.
func newCatalogue(size int) *catalogue {
	c := &catalogue{cloud: newCloud(matchDims, 3)}
	c.matrix = slices.Concat(c.cloud.draw(backgroundSize, 7)...)
	c.background = embed.NewBackground(matchDims, c.matrix)
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

// weigh computes the flags' penalties from the background.
func (c *catalogue) weigh(flags []stored) {
	vectors := make([][]float32, len(flags))
	for i, f := range flags {
		vectors[i] = f.vector
	}
	for i, q := range c.queries(vectors) {
		flags[i].penalty = matchdb.Rounded(q.Penalty)
	}
}

// queries returns queries of the vectors.
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

// edit draws n edits of stored flags, and returns the edits that reach the threshold.
func (c *catalogue) edit(n int, seed uint64) []matchdb.Query {
	sources, edited := make([]stored, n), make([][]float32, n)
	inChunks(n, seed, func(i int, random *rand.Rand) {
		sources[i] = c.flags[random.IntN(len(c.flags))]
		// Cosines from the one at which an edit with the flag's penalty scores the threshold, up to nearly the same picture.
		least := min(0.99, c.threshold+2*float64(sources[i].penalty))
		edited[i] = c.cloud.edit(sources[i].vector, least+random.Float64()*(0.99-least), random)
	})
	var found []matchdb.Query
	for i, q := range c.queries(edited) {
		if float64(dot.Product(q.Vector, sources[i].vector)-q.Penalty-sources[i].penalty) >= c.threshold+2*matchdb.Tolerance {
			found = append(found, q)
		}
	}
	return found
}

// calibrate returns the highest score of a million pairs.
func (c *catalogue) calibrate(queries []matchdb.Query) float64 {
	best := make([]float64, len(queries))
	onCores(len(queries), func(i int) {
		best[i] = math.Inf(-1)
		for k := range 1000 {
			j := (i*1000 + k) % len(c.flags)
			best[i] = max(best[i], float64(dot.Product(queries[i].Vector, c.flags[j].vector)-queries[i].Penalty-c.flags[j].penalty))
		}
	})
	return slices.Max(best)
}

// exact reports whether the exact scan finds a match of q, and whether the score is too near the threshold to be certain.
func (c *catalogue) exact(q matchdb.Query) (match, doubtful bool) {
	best := math.Inf(-1)
	for _, f := range c.flags {
		best = max(best, float64(dot.Product(q.Vector, f.vector)-q.Penalty-f.penalty))
	}
	return best >= c.threshold, math.Abs(best-c.threshold) <= matchdb.Tolerance
}
