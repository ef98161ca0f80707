package matchdb

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
)

// keypointSet is the index of all flags' keypoints, with the flag of each of its IDs. Flags are added in batches, and found
// once flush has returned.
type keypointSet struct {
	*pointindex.Index
	mu     sync.RWMutex
	images []uuid.UUID // by ID
	batch  []keypoint.Features
	merged bool // all that was read at first
}

const (
	keypointBatch = 10_000  // flags, of 2 KB each
	mostRemoved   = 100_000 // that may be in an index which has fewer others
)

func newKeypointSet() *keypointSet { return &keypointSet{Index: pointindex.New()} }

// Bytes is the memory that the set takes.
func (s *keypointSet) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Index.Bytes() + int64(cap(s.images))*int64(len(uuid.UUID{}))
}

// add may be called by one goroutine at a time.
func (s *keypointSet) add(image uuid.UUID, f keypoint.Features) {
	s.mu.Lock()
	s.images = append(s.images, image)
	s.mu.Unlock()
	if s.batch = append(s.batch, f); len(s.batch) == keypointBatch {
		s.flush()
	}
}

func (s *keypointSet) flush() {
	s.Index.Add(s.batch...)
	clear(s.batch)
	s.batch = s.batch[:0]
}

// read adds what was read. The first time all is merged: entries that are not yet are looked up in twice the time.
func (s *keypointSet) read() {
	s.flush()
	if !s.merged && s.Len() > 0 {
		s.Purge()
		s.merged = true
	}
}

// keypointNeighbour is a flag that the index ranks high.
type keypointNeighbour struct {
	image uuid.UUID
	pointindex.Candidate
}

// search returns the most flags that an upload is most likely to show a part of.
func (s *keypointSet) search(cores int, upload keypoint.Upload, most int) []keypointNeighbour {
	found := s.SearchOn(cores, upload, most)
	s.mu.RLock()
	defer s.mu.RUnlock()
	near := make([]keypointNeighbour, len(found))
	for i, c := range found {
		near[i] = keypointNeighbour{s.images[c.ID], c}
	}
	return near
}

// remove takes out those of the neighbours whose flags are deleted. A flag that comes back has another ID then.
func (s *keypointSet) remove(near [][]keypointNeighbour, deleted []uuid.UUID) {
	for _, of := range near {
		for _, n := range of {
			if slices.Contains(deleted, n.image) {
				s.Index.Remove(n.ID)
			}
		}
	}
}

// purge takes what was removed out of the index once that is more than what is left.
func (s *keypointSet) purge() {
	if removed := s.Removed(); removed > mostRemoved && removed > s.Len() {
		s.Purge()
	}
}

// WarmKeypoints reads the flags' keypoints, from which KeypointCandidates knows where to look, and returns how many flags have
// any and the bytes that the index takes. KeypointCandidates does it where it was not done.
func (db *DB) WarmKeypoints(ctx context.Context) (flags int, bytes int64, err error) {
	return db.keypoints.warm(ctx)
}

// FlagsWithKeypoints is how many flags the index of keypoints has: of all flags those that show anything.
func (db *DB) FlagsWithKeypoints(ctx context.Context) (int, error) {
	have, err := db.keypoints.get(ctx)
	if err != nil {
		return 0, err
	}
	return have.set.Len(), nil
}

// HasKeypoints reports whether any flag has keypoints: where none has, an upload's need not be extracted to find flags by them.
func (db *DB) HasKeypoints(ctx context.Context) (has bool, err error) {
	have, err := db.keypoints.get(ctx)
	if err != nil {
		return false, err
	}
	if have.set.Len() > 0 {
		return true, nil
	}
	if err := db.matching.QueryRow(ctx, "SELECT EXISTS (SELECT FROM flagged_keypoints)").Scan(&has); err != nil {
		return false, fmt.Errorf("ask for flags with keypoints: %w", err)
	}
	return has, nil
}

func newKeypoints(db *DB) *candidateIndex[*keypointSet] {
	return &candidateIndex[*keypointSet]{
		db: db, what: "keypoints", table: "flagged_keypoints", turn: make(chan struct{}, 1),
		columns: fmt.Sprintf("image_id, substring(points FROM 1 FOR %d)", keypoint.StoredSize(pointindex.FlagPoints)),
		rows:    "FROM flagged_keypoints WHERE true",
		stale:   func(*indexState[*keypointSet]) bool { return false },
		purge:   func(set *keypointSet, _ map[uuid.UUID]bool) bool { set.purge(); return false },
		taken:   func(_ context.Context, _ pgx.Tx, set *keypointSet) error { set.read(); return nil },
		changed: serverChanged("flagged_keypoints"),
		compare: newStatement(matchKeypointsSQL, 0), deleted: newStatement(deletedKeypointsSQL, 0),
		empty: func(context.Context, pgx.Tx) (*keypointSet, error) { return newKeypointSet(), nil },
		take: func(rows pgx.Rows, set *keypointSet) (id uuid.UUID, err error) {
			var stored []byte
			var f keypoint.Features
			if err := rows.Scan(&id, &stored); err != nil {
				return id, err
			}
			if _, err := f.UnmarshalStart(stored); err != nil {
				return id, fmt.Errorf("flag %s: %w", id, err)
			}
			set.add(id, f)
			return id, nil
		},
	}
}
