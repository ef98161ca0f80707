package matchdb

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// unfollowed are the sketches of the test's model, which read when they are told to.
func unfollowed(t *testing.T, db *DB) *sketches {
	t.Helper()
	db.end()
	known, err := db.model(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	s := db.sketchesOf(known)
	_, err = s.get(t.Context())
	require.NoError(t, err)
	return s
}

// nearestImages are the candidates of a query.
func nearestImages(t *testing.T, s *sketches, v []float32) []uuid.UUID {
	t.Helper()
	have := s.have.Load()
	near, err := nearest(have, []Query{{Vector: v}}, have.set.lowestThreshold())
	require.NoError(t, err)
	return near.images
}

func nearestOf(t *testing.T, db *DB, v []float32) (ids []uuid.UUID) {
	t.Helper()
	for _, h := range match(t, db, Query{Vector: v})[0] {
		ids = append(ids, h.FlaggedID)
	}
	return ids
}

// notInSnapshot counts the embeddings that each Match compares because they are not read.
func notInSnapshot(t *testing.T, s *sketches) (n int) {
	t.Helper()
	require.NoError(t, s.db.pool.QueryRow(t.Context(), `SELECT count(*) FROM flagged_embedding
		WHERE NOT pg_visible_in_snapshot(added, $1::pg_snapshot)`, s.have.Load().snapshot).Scan(&n))
	return n
}

func TestAFlagCountsBeforeItIsRead(t *testing.T) {
	db, _ := library(t)
	s := unfollowed(t, db)
	v := random(rand.New(rand.NewPCG(1, 1)))
	flag := mustFlag(t, db, newFlag("default", "a", v))
	require.Zero(t, s.have.Load().set.Len())
	require.Equal(t, []uuid.UUID{flag.ID}, nearestOf(t, db, v))
	require.Equal(t, 1, notInSnapshot(t, s))

	require.NoError(t, s.read(t.Context()))
	require.Equal(t, 1, s.have.Load().set.Len())
	require.Zero(t, notInSnapshot(t, s))
	require.Equal(t, []uuid.UUID{flag.ID}, nearestOf(t, db, v))
	require.NoError(t, s.read(t.Context()))
	require.Equal(t, 1, s.have.Load().set.Len(), "it is read once")
}

func TestAFlagIsFollowed(t *testing.T) {
	db, _ := library(t)
	_, _, err := db.Warm(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	mustFlag(t, db, newFlag("default", "a", random(rand.New(rand.NewPCG(1, 1)))))
	require.Eventually(t, func() bool {
		n, _, err := db.Warm(t.Context(), testModel.Fingerprint)
		return err == nil && n == 1
	}, 30*time.Second, 50*time.Millisecond)
}

func TestLastReadIsOfWhatWasReadLongestAgo(t *testing.T) {
	db, _ := library(t)
	require.Zero(t, db.LastRead())
	s := unfollowed(t, db)
	first := s.have.Load().at
	require.WithinDuration(t, time.Now(), first, time.Minute)
	require.Equal(t, first, db.LastRead())
	require.NoError(t, db.hashes.read(t.Context()))
	require.Equal(t, first, db.LastRead())

	failing, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.read(failing))
	require.Equal(t, first, db.LastRead(), "a reading that fails is none")
	require.NoError(t, s.read(t.Context()))
	require.Equal(t, db.hashes.have.Load().at, db.LastRead())
}

// A transaction that began before others which are read already, and ends after them, is not taken for read.
func TestWhatIsCommittedLateCounts(t *testing.T) {
	db, url := library(t)
	s := unfollowed(t, db)
	r := rand.New(rand.NewPCG(2, 2))
	late, soon := random(r), random(r)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	id := uuid.New()
	_, err = tx.Exec(t.Context(), `INSERT INTO flagged_image (id, bank_id, sha256, created_by) VALUES ($1, 1, sha256('late'), 'ann')`, id)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `INSERT INTO flagged_embedding SELECT id, $1, 1, 'original', 0, $2::text::halfvec FROM model`, id, StoredVector(late, 0).String())
	require.NoError(t, err)

	flag := mustFlag(t, db, newFlag("default", "soon", soon))
	require.NoError(t, s.read(t.Context()))
	require.NotContains(t, nearestOf(t, db, late), id)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, id, nearestOf(t, db, late)[0])
	require.NoError(t, s.read(t.Context()))
	require.Zero(t, notInSnapshot(t, s))
	require.Equal(t, 2, s.have.Load().set.Len())
	require.Equal(t, id, nearestOf(t, db, late)[0])
	require.Equal(t, flag.ID, nearestOf(t, db, soon)[0])
}

func TestWhatIsRetractedIsForgottenAndMayComeBack(t *testing.T) {
	db, _ := library(t)
	v := random(rand.New(rand.NewPCG(3, 3)))
	flag := mustFlag(t, db, newFlag("default", "a", v))
	s := unfollowed(t, db)
	_, err := db.Retract(t.Context(), flag.ID.String(), "mo", "wrong")
	require.NoError(t, err)
	before := s.have.Load()
	require.Empty(t, before.deleted)
	require.Empty(t, nearestOf(t, db, v))
	require.Equal(t, map[uuid.UUID]bool{flag.ID: true}, s.have.Load().deleted)
	require.Empty(t, before.deleted, "others may be reading it")

	_, err = db.RestoreAll(t.Context(), []uuid.UUID{flag.ID}, "mo", "right after all")
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{flag.ID}, nearestOf(t, db, v))
	old := s.have.Load()
	require.NoError(t, s.read(t.Context()))
	require.Empty(t, s.have.Load().deleted)
	s.forget(old, []uuid.UUID{flag.ID}) // of a search that ended late
	require.Empty(t, s.have.Load().deleted)
	require.Equal(t, []uuid.UUID{flag.ID}, nearestOf(t, db, v))
}

// Snapshots of another server mean nothing here, and what few vectors had in common is not what many have.
func TestAllIsReadAnew(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	fill(t, db, "default", randoms(r, 10), noPenalty)
	s := unfollowed(t, db)
	first := s.have.Load()
	require.NoError(t, s.read(t.Context()))
	require.Same(t, first.set, s.have.Load().set)

	restarted := *first
	restarted.server = "another life"
	s.have.Store(&restarted)
	_, err := db.Match(t.Context(), testModel.Fingerprint, []Query{{Vector: random(r)}})
	require.ErrorIs(t, err, errServerChanged)
	require.True(t, Retryable(err))
	require.NoError(t, s.read(t.Context()))
	require.NotSame(t, first.set, s.have.Load().set)
	require.Equal(t, 10, s.have.Load().set.Len())

	second := s.have.Load()
	fill(t, db, "default", randoms(r, 40+readAnew), noPenalty)
	require.NoError(t, s.read(t.Context()))
	require.Same(t, second.set, s.have.Load().set)
	require.NoError(t, s.read(t.Context()))
	require.NotSame(t, second.set, s.have.Load().set)
	require.Equal(t, 50+readAnew, s.have.Load().first)
}

// What was retracted is purged when it is much: nothing is read, and the others are found as before.
func TestMuchThatIsGoneIsPurged(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(7, 9))
	vectors := randoms(r, 2*mostDeleted+10)
	fill(t, db, "default", vectors, noPenalty)
	s := unfollowed(t, db)
	first, read := s.have.Load(), db.RowsRead()
	kept := map[uuid.UUID]bool{}
	for _, v := range vectors[:10] {
		kept[nearestImages(t, s, v)[0]] = true
	}
	ids, err := db.ListFlags(t.Context(), FlagFilter{})
	require.NoError(t, err)
	var gone []uuid.UUID
	for _, f := range ids {
		if !kept[f.ID] {
			gone = append(gone, f.ID)
		}
	}
	n, err := db.RetractAll(t.Context(), gone, "ann", "a test")
	require.NoError(t, err)
	require.Equal(t, len(vectors)-len(kept), n)
	s.forget(first, gone)
	require.NoError(t, s.read(t.Context()))
	require.Empty(t, s.have.Load().deleted)
	require.Same(t, first.set, s.have.Load().set)
	require.Equal(t, len(kept), first.set.Len())
	require.Equal(t, read, db.RowsRead())
	for _, v := range vectors[:10] {
		require.True(t, kept[nearestImages(t, s, v)[0]])
	}
}

// Many near copies that are not read yet hide no bank's only flag, whether that is read or not.
func TestACrowdThatIsNotReadHidesNoBank(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(6, 6))
	v := random(r)
	for _, bank := range []string{"crowd", "read", "unread"} {
		require.NoError(t, db.AddBank(t.Context(), bank, "ann", ""))
	}
	lone := mustFlag(t, db, newFlag("read", "read", near(r, v, 1)))
	s := unfollowed(t, db)
	require.Equal(t, 1, s.have.Load().set.Len())
	var copies [][]float32
	for range 3 * nearestRows {
		copies = append(copies, near(r, v, 0.2))
	}
	fill(t, db, "crowd", copies, noPenalty)
	other := mustFlag(t, db, newFlag("unread", "unread", near(r, v, 1)))
	hits := match(t, db, Query{Vector: v})[0]
	require.Len(t, hits, 3)
	require.Equal(t, "crowd", hits[0].Bank)
	require.ElementsMatch(t, []uuid.UUID{lone.ID, other.ID}, []uuid.UUID{hits[1].FlaggedID, hits[2].FlaggedID})
}

// A threshold that is lowered counts at once, though candidates were left out by the one that was read: the bank is scanned.
func TestALoweredThresholdCountsBeforeItIsRead(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(8, 8))
	v := random(r)
	require.NoError(t, db.AddBank(t.Context(), "low", "ann", ""))
	far := near(r, v, 3)
	for innerProduct(far, v) > 0.35 || innerProduct(far, v) < 0.25 {
		far = near(r, v, 3)
	}
	flag := mustFlag(t, db, newFlag("low", "far", far))
	var copies [][]float32
	for range 2 * ComparedRows {
		copies = append(copies, near(r, v, 0.2))
	}
	fill(t, db, "default", copies, noPenalty)
	s := unfollowed(t, db)
	require.NotContains(t, nearestImages(t, s, v), flag.ID)
	require.NotContains(t, nearestOf(t, db, v), flag.ID)
	require.NoError(t, db.SetBank(t.Context(), "low", testModel.Fingerprint, Thresholds{BlockAt: 0.25}, "ann", ""))
	require.Contains(t, nearestOf(t, db, v), flag.ID)
	require.NoError(t, s.read(t.Context()))
	require.Contains(t, nearestImages(t, s, v), flag.ID)
	require.Contains(t, nearestOf(t, db, v), flag.ID)
}

// A reading that fails is told, once a minute, and so is the first one that succeeds again.
func TestAReadingThatFailsIsTold(t *testing.T) {
	db, url := library(t)
	var told logged
	db.Logger = slog.New(slog.NewTextHandler(&told, nil))
	_, _, err := db.WarmHashes(t.Context())
	require.NoError(t, err)
	require.NoError(t, exec(t, url, "ALTER TABLE flagged_pdq DISABLE TRIGGER number_added"))
	require.Eventually(t, func() bool { return strings.Contains(told.String(), "cannot be read into memory") }, time.Minute, 20*time.Millisecond)
	require.Contains(t, told.String(), `level=WARN`)
	require.Contains(t, told.String(), `what="PDQ hashes"`)
	require.Contains(t, told.String(), "moderator migrate")
	_, err = db.MatchHashes(t.Context(), []HashQuery{{SHA256: sum256("a")}})
	require.True(t, Retryable(err), "uploads wait")
	require.NoError(t, exec(t, url, "ALTER TABLE flagged_pdq ENABLE ALWAYS TRIGGER number_added"))
	require.Eventually(t, func() bool { return strings.Contains(told.String(), "is read into memory again") }, time.Minute, 20*time.Millisecond)
}

// logged is a log that is written to and read at the same time.
type logged struct {
	sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(p)
}

func (l *logged) String() string {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.String()
}
