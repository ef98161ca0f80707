package dedupe

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"moderator/internal/dot"
	"moderator/internal/pdq"
)

// Pair is two similar pictures, A < B, by their most similar views. If only PDQ finds them, score and similarity are of the
// views that PDQ found.
type Pair struct {
	A, B       int32
	Score      float32 // q·r − penalty(q) − penalty(r)
	Similarity float32 // q·r
	Distance   int16   // bits of their PDQ hashes that differ, up to pdq.MaxDistance; else NoHash
}

// NoHash is the distance of pictures that do not match by PDQ: a hash of low quality, or more than pdq.MaxDistance bits.
const NoHash = pdq.Bits + 1

// byHash reports whether the two match by PDQ.
func (p Pair) byHash() bool { return p.Distance <= pdq.MaxDistance }

// compare orders by similarity: pairs that match by PDQ by their distance, then all by score.
func (p Pair) compare(o Pair) int {
	return cmp.Or(cmp.Compare(o.Distance, p.Distance), cmp.Compare(p.Score, o.Score))
}

// Size of a block: 1 MiB of products, such that the rows of both sides fit into the processor's cache.
const (
	blockQueries = 256
	blockFlags   = 1024
)

// Pairs returns the pairs of a query and a flag that score at or more, or that match by PDQ. Each pair appears once, in the
// order of A and B. Memory holds these pairs, a few blocks and the sets. More than limit pairs are an error that wraps
// ErrTooMany.
func Pairs(ctx context.Context, queries, flags *Set, at float32, limit int) ([]Pair, error) {
	var mu sync.Mutex
	var all []Pair
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < queries.Len(); from += blockQueries {
		group.Go(func() error {
			found, err := strip(ctx, queries, flags, from, at, limit)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			if len(all) > 2*limit { // each pair may be found from both sides
				return tooMany(limit)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all = best(all)
	if len(all) > limit {
		return nil, tooMany(limit)
	}
	return all, nil
}

// ErrTooMany says that more pairs than the limit reach the threshold.
var ErrTooMany = fmt.Errorf("too many similar pairs")

func tooMany(limit int) error {
	return fmt.Errorf("%w: more than %d: raise the score", ErrTooMany, limit)
}

// strip compares one block of queries with all blocks of flags.
func strip(ctx context.Context, queries, flags *Set, from int, at float32, limit int) ([]Pair, error) {
	to := min(from+blockQueries, queries.Len())
	products := make([]float32, blockQueries*blockFlags)
	var found []Pair
	for left := 0; left < flags.Len(); left += blockFlags {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		right := min(left+blockFlags, flags.Len())
		out := products[:(to-from)*(right-left)]
		dot.Products(queries.rows(from, to), flags.rows(left, right), queries.dims, out)
		before := len(found)
		for i := from; i < to; i++ {
			row := out[(i-from)*(right-left):]
			for j := left; j < right; j++ {
				p := Pair{
					A: queries.pictures[i], B: flags.pictures[j], Similarity: row[j-left],
					Score: row[j-left] - queries.penalties[i] - flags.penalties[j], Distance: NoHash,
				}
				if queries.clear[i] && flags.clear[j] {
					if d := queries.hashes[i].Distance(flags.hashes[j]); d <= pdq.MaxDistance {
						p.Distance = int16(d)
					}
				}
				if p.A == p.B || p.Score < at && !p.byHash() {
					continue
				}
				if p.A > p.B {
					p.A, p.B = p.B, p.A
				}
				found = append(found, p)
			}
		}
		if len(found) > before { // merges the views of a pair
			found = best(found)
		}
		if len(found) > limit {
			return nil, tooMany(limit)
		}
	}
	return found, nil
}

// best sorts by A and B, and merges pairs of the same two pictures.
func best(pairs []Pair) []Pair {
	slices.SortFunc(pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(b.Score, a.Score))
	})
	kept := pairs[:0]
	for _, p := range pairs {
		if n := len(kept); n > 0 && kept[n-1].A == p.A && kept[n-1].B == p.B {
			kept[n-1].Distance = min(kept[n-1].Distance, p.Distance)
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
