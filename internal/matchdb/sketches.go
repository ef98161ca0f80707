package matchdb

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"moderator/internal/sketch"
)

// sketches say where to look for what is near, of one model's embeddings.
type sketches struct {
	db    *DB
	model registered
	turn  chan struct{} // held while all are read for the first time
	have  atomic.Pointer[sketched]
}

// sketched is what was read up to a moment.
type sketched struct {
	set      *sketch.Set
	first    int       // how many were read at once
	snapshot string    // the server's; what it does not see as committed may be lacking
	server   time.Time // when that started: with another one, or after a failover, a snapshot means something else
	gone     map[uuid.UUID]bool
}

const (
	readEvery = time.Second
	readTime  = 10 * time.Minute // that a reading of all may take
	// With so many more than four times of what was read at first all are read again, as the mean of few is not that of many; and
	// with so many pictures gone, which are in the way.
	readAnew = 10_000
	mostGone = 1_000
)

// Warm reads a model's embeddings, from which Match knows where to look, and returns how many there are and the bytes that are
// kept of them. Match does it where it was not done. The error of a model that is not registered wraps ErrUnknownModel.
func (db *DB) Warm(ctx context.Context, model string) (embeddings int, bytes int64, err error) {
	known, err := db.model(ctx, model)
	if err != nil {
		return 0, 0, err
	}
	have, err := db.sketchesOf(known).get(ctx)
	if err != nil {
		return 0, 0, err
	}
	return have.set.Len(), have.set.Bytes(), nil
}

func (db *DB) sketchesOf(model registered) *sketches {
	s, _ := db.sketches.LoadOrStore(model.id, &sketches{db: db, model: model, turn: make(chan struct{}, 1)})
	return s.(*sketches)
}

// get returns what is read. At first use all is; from then on it is followed until the library is closed.
func (s *sketches) get(ctx context.Context) (*sketched, error) {
	if have := s.have.Load(); have != nil {
		return have, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if have := s.have.Load(); have != nil {
		return have, nil
	}
	if err := s.read(ctx); err != nil {
		return nil, fmt.Errorf("read embeddings: %w", err)
	}
	s.db.followed.Go(func() { s.follow(s.db.life) })
	return s.have.Load(), nil
}

// follow reads what was added, until ctx is done. What it lacks meanwhile is compared one by one by each Match.
func (s *sketches) follow(ctx context.Context) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			reading, cancel := context.WithTimeout(ctx, readTime)
			_ = s.read(reading) // else next time: whatever is the matter, Match says so too
			cancel()
		}
	}
}

// unseenSQL is true of the embeddings that a snapshot, the parameter %[2]s, does not see.
const unseenSQL = "model_id = %[1]d AND added >= pg_snapshot_xmin(%[2]s::pg_snapshot) AND NOT pg_visible_in_snapshot(added, %[2]s::pg_snapshot)"

// otherServerSQL is true where the server is not the one of a snapshot, the parameter %[2]s, which started at %[1]s: numbers of
// transactions, if only of those that it lost in a crash, are given out anew.
const otherServerSQL = "pg_postmaster_start_time() <> %[1]s::timestamptz OR pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(%[2]s::pg_snapshot)"

// snapshotSQL is the transaction's snapshot. A standby's does not say which transactions are open: all from the oldest on count as
// such there.
const snapshotSQL = `SELECT CASE WHEN pg_is_in_recovery() THEN format('%s:%1$s:', pg_snapshot_xmin(s)) ELSE s::text END, pg_postmaster_start_time()
	FROM pg_current_snapshot() s`

// read reads what was added since it last did, or all.
func (s *sketches) read(ctx context.Context) error {
	var next sketched
	// One transaction sees as committed what its snapshot does, whatever server it is of.
	err := pgx.BeginTxFunc(ctx, s.db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, snapshotSQL).Scan(&next.snapshot, &next.server); err != nil {
			return err
		}
		return s.fill(ctx, tx, &next)
	})
	if err != nil {
		return err
	}
	s.have.Store(&next)
	return nil
}

// fill reads into next what it has more than what is read, or all.
func (s *sketches) fill(ctx context.Context, tx pgx.Tx, next *sketched) error {
	have, other := s.have.Load(), false
	if have != nil {
		err := tx.QueryRow(ctx, "SELECT "+fmt.Sprintf(otherServerSQL, "$1", "$2"), have.server, have.snapshot).Scan(&other)
		if err != nil {
			return err
		}
	}
	if have != nil && !other && have.set.Len() <= 4*have.first+readAnew && len(have.gone) <= mostGone {
		next.set, next.first, next.gone = have.set, have.first, have.gone
		back := map[uuid.UUID]bool{}
		err := s.add(ctx, tx, next.set, back, fmt.Sprintf(unseenSQL, s.model.id, "$1"), have.snapshot)
		if len(back) > 0 {
			next.gone = maps.Clone(next.gone)
			maps.DeleteFunc(next.gone, func(id uuid.UUID, _ bool) bool { return back[id] })
		}
		return err
	}
	mean, err := s.mean(ctx, tx)
	if err != nil {
		return err
	}
	next.set, next.gone = sketch.New(mean), map[uuid.UUID]bool{}
	err = s.add(ctx, tx, next.set, nil, fmt.Sprintf("model_id = %d", s.model.id))
	next.first = next.set.Len()
	return err
}

// mean is the mean of some embeddings.
func (s *sketches) mean(ctx context.Context, tx pgx.Tx) ([]float32, error) {
	var mean *pgvector.HalfVector
	err := tx.QueryRow(ctx, fmt.Sprintf(
		"SELECT avg(embedding) FROM (SELECT embedding FROM flagged_embedding WHERE model_id = %d LIMIT %d) e", s.model.id, readAnew)).Scan(&mean)
	if err != nil || mean == nil {
		return make([]float32, s.model.dims), err
	}
	return mean.Slice()[:s.model.dims], nil
}

// add adds the embeddings that a condition holds for to the set, and their pictures to seen where it is given.
func (s *sketches) add(ctx context.Context, tx pgx.Tx, set *sketch.Set, seen map[uuid.UUID]bool, where string, args ...any) error {
	rows, err := tx.Query(ctx, "SELECT image_id, half, embedding FROM flagged_embedding WHERE "+where, args...)
	if err != nil {
		return err
	}
	var image uuid.UUID
	var half float32
	var embedding pgvector.HalfVector
	_, err = pgx.ForEachRow(rows, []any{&image, &half, &embedding}, func() error {
		set.Add(image, embedding.Slice()[:s.model.dims], half)
		if seen != nil {
			seen[image] = true
		}
		return nil
	})
	return err
}

// forget passes over pictures that are no longer there, unless something was read since: they may be back.
func (s *sketches) forget(since *sketched, gone []uuid.UUID) {
	if len(gone) == 0 {
		return
	}
	next := *since
	next.gone = maps.Clone(since.gone)
	for _, id := range gone {
		next.gone[id] = true
	}
	s.have.CompareAndSwap(since, &next)
}

// places are the pictures that are near to queries, which count from 1, with their scores by the sketches.
type places struct {
	ords   []int32
	images []uuid.UUID
	scores []float64
}

// nearest returns where to look for what is nearest to the queries, and for each the score that nothing else exceeds.
func (have *sketched) nearest(qs []Query) (unasked []float64, near places) {
	unasked = make([]float64, len(qs))
	for i, q := range qs {
		found, bound := have.set.Nearest(q.Vector, nearestRows, have.gone)
		unasked[i] = float64(bound - q.Half)
		for _, n := range found {
			near.ords, near.images = append(near.ords, int32(i)+1), append(near.images, n.ID)
			near.scores = append(near.scores, float64(n.Score-q.Half))
		}
	}
	return unasked, near
}
