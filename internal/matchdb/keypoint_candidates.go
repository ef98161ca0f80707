package matchdb

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
)

// KeypointQuery is an upload's keypoints.
type KeypointQuery struct {
	Upload keypoint.Upload
	Most   int         // candidates of the index
	Flags  []uuid.UUID // that are candidates too, whatever the index says
}

// KeypointCandidate is a flag of an enabled bank whose keypoints are to be compared with an upload's.
type KeypointCandidate struct {
	FlaggedID uuid.UUID
	Bank      string
	Points    keypoint.Features
	Votes     int              // that the index has for one place of the flag in the upload; 0: another retriever brought the flag
	Variant   keypoint.Variant // of the flag that they are for; only where there are Votes

	FalseBlocks *float64 // of the bank's policy
}

// freshFlags is how many flags may have been added since the index was read without it being read at once.
const freshFlags = 500

//go:embed match_keypoints.sql
var matchKeypointsSQL string

// deletedKeypointsSQL names those of some pictures that have no keypoints any more.
const deletedKeypointsSQL = `
SELECT image_id FROM unnest(@near_images::uuid[]) AS near (image_id)
WHERE NOT EXISTS (SELECT FROM flagged_keypoints k WHERE k.image_id = near.image_id)`

// keypointRows is what the database has of candidates, without those of disabled banks.
type keypointRows struct {
	flags   map[uuid.UUID]KeypointCandidate
	fresh   []KeypointCandidate // that the index lacks
	deleted []uuid.UUID
}

// KeypointCandidates returns for each upload the flags of enabled banks whose keypoints are to be compared with its own: those
// that the query names, as many as it wants of those that the index of all flags ranks highest, and of those that were flagged
// since the index was read. One round trip for the whole batch, but where deleted flags or those of disabled banks were in
// the way of others. Of the errors Retryable says which may pass.
func (db *DB) KeypointCandidates(ctx context.Context, qs []KeypointQuery) ([][]KeypointCandidate, error) {
	for wider := 1; ; {
		have, err := db.keypoints.get(ctx)
		if err != nil {
			return nil, fmt.Errorf("candidates by keypoints: %w", err)
		}
		near := make([][]keypointNeighbour, len(qs))
		cores := max(1, runtime.GOMAXPROCS(0)/max(1, len(qs)))
		err = each(ctx, len(qs), func(i int) {
			near[i] = have.set.search(cores, qs[i].Upload, wider*qs[i].Most)
		})
		if err != nil {
			return nil, err
		}
		rows, err := db.keypointRows(ctx, near, qs, have)
		if err != nil {
			return nil, fmt.Errorf("candidates by keypoints: %w", err)
		}
		have.set.remove(near, rows.deleted)
		if len(rows.fresh) > freshFlags {
			if err := db.keypoints.read(ctx); err != nil {
				return nil, fmt.Errorf("candidates by keypoints: %w", err)
			}
			continue
		}
		found := make([][]KeypointCandidate, len(qs))
		hidden := false
		for i, q := range qs {
			found[i] = rows.of(near[i], q)
			byIndex := 0 // not those that the query names
			for _, c := range found[i] {
				byIndex += min(1, c.Votes)
			}
			hidden = hidden || len(near[i]) == wider*q.Most && byIndex < q.Most
		}
		if !hidden {
			return found, rows.addFresh(ctx, qs, found)
		}
		wider *= 4
	}
}

// keypointRows looks up what the index found and what the queries name.
func (db *DB) keypointRows(ctx context.Context, near [][]keypointNeighbour, qs []KeypointQuery, have *indexState[*keypointSet]) (keypointRows, error) {
	all := keypointRows{flags: map[uuid.UUID]KeypointCandidate{}}
	var images []uuid.UUID
	for i, q := range qs {
		for _, n := range near[i] {
			images = append(images, n.image)
		}
		images = append(images, q.Flags...)
	}
	named := arguments{"near_images": distinct(images), "fresh": freshFlags + 1}
	var fresh bool
	var id uuid.UUID
	var bank *string
	var falseBlocks *float64
	var stored []byte
	var err error
	all.deleted, err = db.keypoints.search(ctx, have, named, []any{&fresh, &id, &bank, &falseBlocks, &stored}, func() error {
		if bank == nil {
			return nil
		}
		one := KeypointCandidate{FlaggedID: id, Bank: *bank, FalseBlocks: falseBlocks}
		if err := one.Points.UnmarshalBinary(stored); err != nil {
			return fmt.Errorf("flag %s: %w", id, err)
		}
		if fresh {
			all.fresh = append(all.fresh, one)
		} else {
			all.flags[id] = one
		}
		return nil
	})
	return all, err
}

// distinct are the IDs in order, each once.
func distinct(ids []uuid.UUID) []uuid.UUID {
	ids = slices.SortedFunc(slices.Values(ids), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// of are the candidates of one upload, each once: those of the index in its order, then the others.
func (r keypointRows) of(near []keypointNeighbour, q KeypointQuery) (found []KeypointCandidate) {
	taken := map[uuid.UUID]bool{}
	for _, n := range near {
		if c, ok := r.flags[n.image]; ok && !taken[n.image] && len(found) < q.Most {
			c.Votes, c.Variant = n.Points, n.Variant
			found = append(found, c)
			taken[n.image] = true
		}
	}
	for _, id := range q.Flags {
		if c, ok := r.flags[id]; ok && !taken[id] {
			found = append(found, c)
			taken[id] = true
		}
	}
	return found
}

// addFresh adds those of the flags that the index lacks: as many as an upload wants.
func (r keypointRows) addFresh(ctx context.Context, qs []KeypointQuery, found [][]KeypointCandidate) error {
	if len(r.fresh) == 0 {
		return nil
	}
	index := pointindex.New()
	for _, c := range r.fresh {
		index.Add(c.Points)
	}
	return each(ctx, len(qs), func(i int) {
		for _, n := range index.Search(qs[i].Upload, qs[i].Most) {
			c := r.fresh[n.ID]
			if !slices.ContainsFunc(found[i], func(o KeypointCandidate) bool { return o.FlaggedID == c.FlaggedID }) {
				c.Votes, c.Variant = n.Points, n.Variant
				found[i] = append(found[i], c)
			}
		}
	})
}

// each runs do for 0 to n-1 on all cores, until ctx is done.
func each(ctx context.Context, n int, do func(i int)) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			do(i)
			return nil
		})
	}
	return group.Wait()
}
