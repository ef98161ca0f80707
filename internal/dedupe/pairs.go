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

// Pair is two different pictures that are alike, A < B, by the looks of them that are most alike. Where only PDQ finds
// them, score and similarity are of the looks that it found.
type Pair struct {
	A, B       int32
	Score      float32 // q·r − penalty(q) − penalty(r)
	Similarity float32 // q·r
	Distance   int16   // of their PDQ hashes, where that is at most pdq.MaxDistance; else NoHash
}

// NoHash is the distance of pictures whose hashes say nothing or differ in more than pdq.MaxDistance bits.
const NoHash = pdq.Bits + 1

// byHash tells that PDQ alone takes the two for the same picture.
func (p Pair) byHash() bool { return p.Distance <= pdq.MaxDistance }

// compare orders by likeness: what PDQ takes for the same, by its distance; then by score.
func (p Pair) compare(o Pair) int {
	return cmp.Or(cmp.Compare(o.Distance, p.Distance), cmp.Compare(p.Score, o.Score))
}

// A block of the matrix: 1 MiB of products, the rows of both sides in the processor's cache.
const (
	blockAsked = 256
	blockHeld  = 1024
)

// Pairs returns the pairs of a picture of asked and one of held that score at least at or that PDQ takes for the same, each
// pair once, by A and B. It holds no more than these pairs, some blocks and the sets. More than limit pairs are an error,
// which wraps ErrTooMany.
func Pairs(ctx context.Context, asked, held *Set, at float32, limit int) ([]Pair, error) {
	var mu sync.Mutex
	var all []Pair
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < asked.Len(); from += blockAsked {
		group.Go(func() error {
			found, err := strip(ctx, asked, held, from, at, limit)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			if len(all) > 2*limit { // each pair comes from both of its sides
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

// ErrTooMany is of a threshold that so many pairs reach that they do not fit.
var ErrTooMany = fmt.Errorf("too many pairs are alike")

func tooMany(limit int) error {
	return fmt.Errorf("%w: more than %d: raise the score", ErrTooMany, limit)
}

// strip compares one block of asked with all blocks of held.
func strip(ctx context.Context, asked, held *Set, from int, at float32, limit int) ([]Pair, error) {
	to := min(from+blockAsked, asked.Len())
	products := make([]float32, blockAsked*blockHeld)
	var found []Pair
	for left := 0; left < held.Len(); left += blockHeld {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		right := min(left+blockHeld, held.Len())
		out := products[:(to-from)*(right-left)]
		dot.Products(asked.rows(from, to), held.rows(left, right), asked.dims, out)
		before := len(found)
		for i := from; i < to; i++ {
			row := out[(i-from)*(right-left):]
			for j := left; j < right; j++ {
				p := Pair{
					A: asked.pictures[i], B: held.pictures[j], Similarity: row[j-left],
					Score: row[j-left] - asked.penalties[i] - held.penalties[j], Distance: NoHash,
				}
				if asked.clear[i] && held.clear[j] {
					if d := asked.hashes[i].Distance(held.hashes[j]); d <= pdq.MaxDistance {
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
		if len(found) > before { // views of one pair are counted once
			found = best(found)
		}
		if len(found) > limit {
			return nil, tooMany(limit)
		}
	}
	return found, nil
}

// best sorts by A and B, and merges what is of the same two pictures.
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
