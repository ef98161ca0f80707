package matchdb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
)

// someKeypoints are of a picture like no other.
func someKeypoints(r *rand.Rand) keypoint.Features {
	f := keypoint.Features{Width: 320, Height: 240}
	for range pointindex.FlagPoints {
		f.Points = append(f.Points, keypoint.Point{
			X: r.Float32() * 319, Y: r.Float32() * 239, Scale: 1.6 + 8*r.Float32(), Angle: 6 * r.Float32(), Bits: keypoint.Bits{r.Uint64(), r.Uint64()},
		})
	}
	return f
}

// flagWithKeypoints is near to nothing by its vector.
func flagWithKeypoints(t *testing.T, db *DB, r *rand.Rand, bank, name string, f keypoint.Features) uuid.UUID {
	t.Helper()
	flag := newFlag(bank, name, random(r))
	flag.Keypoints = f
	return mustFlag(t, db, flag).ID
}

func keypointCandidates(t *testing.T, db *DB, most int, uploads ...keypoint.Features) [][]uuid.UUID {
	t.Helper()
	qs := make([]KeypointQuery, len(uploads))
	for i, f := range uploads {
		qs[i] = KeypointQuery{Upload: keypoint.Prepare(f), Most: most}
	}
	found, err := db.KeypointCandidates(t.Context(), qs)
	require.NoError(t, err)
	ids := make([][]uuid.UUID, len(uploads))
	for i, of := range found {
		for _, c := range of {
			require.Positive(t, c.Votes)
			require.Len(t, c.Points.Points, pointindex.FlagPoints)
			ids[i] = append(ids[i], c.FlaggedID)
		}
	}
	return ids
}

// The first flag with keypoints is known of before it is read.
func TestTheFirstKeypointsAreKnownBeforeTheyAreRead(t *testing.T) {
	db, _ := library(t)
	db.end()
	r := rand.New(rand.NewPCG(1, 9))
	has := func() bool {
		has, err := db.HasKeypoints(t.Context())
		require.NoError(t, err)
		return has
	}
	mustFlag(t, db, newFlag("default", "without", random(r)))
	require.False(t, has())
	flagWithKeypoints(t, db, r, "default", "with", someKeypoints(r))
	require.True(t, has())
	require.NoError(t, db.keypoints.read(t.Context()))
	require.True(t, has())
}

// A flag is a candidate before its keypoints are read, and no longer once it is retracted, and again when it is restored.
func TestKeypointsCountBeforeTheyAreRead(t *testing.T) {
	db, _ := library(t)
	db.end() // they are read when they are told to
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 8))
	f, other := someKeypoints(r), someKeypoints(r)
	ask := func() []uuid.UUID { return keypointCandidates(t, db, 8, other, f)[1] }
	require.Empty(t, ask())
	flag := flagWithKeypoints(t, db, r, "default", "a", f)
	requireFollows(t, db, db.keypoints, flag, ask, func() error {
		_, err := db.KeypointCandidates(ctx, []KeypointQuery{{Upload: keypoint.Prepare(f), Most: 1}})
		return err
	})
}

// More flags than a statement is to carry are read at once.
func TestManyFreshFlagsAreRead(t *testing.T) {
	db, url := library(t)
	db.end()
	r := rand.New(rand.NewPCG(2, 8))
	f := someKeypoints(r)
	require.Empty(t, keypointCandidates(t, db, 8, f)[0])
	none, err := keypoint.Features{Width: 240, Height: 240}.MarshalBinary()
	require.NoError(t, err)
	for i := range freshFlags + 5 { // not by Flag, which would take long
		require.NoError(t, exec(t, url, fmt.Sprintf(`WITH i AS (INSERT INTO flagged_image (bank_id, sha256, created_by)
			SELECT id, sha256('%d'), 'ann' FROM bank RETURNING id) INSERT INTO flagged_keypoints (image_id, points) SELECT id, '\x%x' FROM i`, i, none)))
	}
	flag := flagWithKeypoints(t, db, r, "default", "a", f)
	require.Equal(t, []uuid.UUID{flag}, keypointCandidates(t, db, 8, f)[0])
	require.Equal(t, freshFlags+6, db.keypoints.have.Load().set.Len())
}

// Flags of a disabled bank, and deleted ones, take no flag's place, however many show the same picture.
func TestACrowdHidesNoCandidate(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(3, 8))
	f := someKeypoints(r)
	require.NoError(t, db.AddBank(ctx, "off", "mo", "a test"))
	var crowd []uuid.UUID
	for i := range 20 {
		crowd = append(crowd, flagWithKeypoints(t, db, r, "off", fmt.Sprint("off", i), f), flagWithKeypoints(t, db, r, "default", fmt.Sprint("on", i), f))
	}
	other := f
	other.Points = append(other.Points[:0:0], f.Points...)
	for i := range 30 { // fewer votes than the crowd
		other.Points[i].Bits = keypoint.Bits{r.Uint64(), r.Uint64()}
	}
	flag := flagWithKeypoints(t, db, r, "default", "other", other)
	db.end()
	_, _, err := db.WarmKeypoints(ctx)
	require.NoError(t, err)
	require.NoError(t, db.DisableBank(ctx, "off", "mo", "no longer"))
	for i := 1; i < len(crowd); i += 2 {
		_, err := db.Retract(ctx, crowd[i].String(), "mo", "wrong")
		require.NoError(t, err)
	}
	require.Equal(t, []uuid.UUID{flag}, keypointCandidates(t, db, 4, f)[0])

	named := []uuid.UUID{}
	for i := range 4 { // which make up the number
		named = append(named, flagWithKeypoints(t, db, r, "default", fmt.Sprint("named", i), someKeypoints(r)))
	}
	found, err := db.KeypointCandidates(ctx, []KeypointQuery{{Upload: keypoint.Prepare(f), Most: 4, Flags: named}})
	require.NoError(t, err)
	require.Equal(t, flag, found[0][0].FlaggedID)
	require.Len(t, found[0], 5)
}

// Flags that the query names are candidates without votes, and each candidate is one once.
func TestNamedFlagsAreCandidates(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(4, 8))
	f := someKeypoints(r)
	shown := flagWithKeypoints(t, db, r, "default", "shown", f)
	named := flagWithKeypoints(t, db, r, "default", "named", someKeypoints(r))
	without := mustFlag(t, db, newFlag("default", "without", random(r))).ID
	found, err := db.KeypointCandidates(t.Context(), []KeypointQuery{{Upload: keypoint.Prepare(f), Most: 2, Flags: []uuid.UUID{named, shown, without, named}}})
	require.NoError(t, err)
	require.Len(t, found[0], 2)
	require.Equal(t, shown, found[0][0].FlaggedID)
	require.Equal(t, keypoint.Plain, found[0][0].Variant)
	require.Equal(t, named, found[0][1].FlaggedID)
	require.Zero(t, found[0][1].Votes)
	require.Equal(t, "default", found[0][1].Bank)
}

// The database says how near the nearest views are, whichever retriever named the flag.
func TestEvidence(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(5, 8))
	vector, hash := random(r), randomHash(r)
	f := newFlag("default", "a", vector)
	f.Embeddings[0].Penalty = 0.125
	f.Embeddings = append(f.Embeddings, Embedding{View: "flip-horizontal", Vector: random(r)})
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 80}, {View: "rotate-90", Hash: flipped(hash, 90), Quality: 60}}
	both := mustFlag(t, db, f).ID
	file := newFlag("default", "file", random(r))
	file.Embeddings = nil
	none := mustFlag(t, db, file).ID
	q := EvidenceQuery{
		Flag:  both,
		Views: []Query{{Vector: random(r)}, {Vector: near(r, vector, 0.1), Penalty: 0.25}},
		PDQ:   []PDQ{{Hash: flipped(hash, 95), Quality: 100}, {Hash: randomHash(r), Quality: 20}},
	}
	found, err := db.Evidence(t.Context(), testModel.Fingerprint, []EvidenceQuery{{Flag: none, Views: q.Views, PDQ: q.PDQ}, q})
	require.NoError(t, err)
	require.Equal(t, Evidence{PDQ: -1, Quality: -1}, found[0])
	e := found[1]
	similarity := innerProduct(vector, q.Views[1].Vector)
	require.InDelta(t, similarity, e.Similarity, Tolerance)
	require.InDelta(t, similarity-0.125-0.25, e.Score, Tolerance)
	e.Similarity, e.Score = 0, 0
	require.Equal(t, Evidence{HasVector: true, View: "original", Query: 1, PDQ: 5, PDQView: "rotate-90", Quality: 80}, e)
	other, err := db.Evidence(t.Context(), "of no model", []EvidenceQuery{q})
	require.NoError(t, err)
	require.Equal(t, Evidence{PDQ: 5, PDQView: "rotate-90", Quality: 80}, other[0])
}
