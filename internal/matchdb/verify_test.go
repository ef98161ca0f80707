package matchdb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func verify(t testing.TB, db *DB) Verification {
	t.Helper()
	v, err := db.Verify(t.Context(), VerifyOptions{
		Model: testModel.Fingerprint, Penalty: func([]float32) float32 { return 0.1 }, Views: []string{"original"}, Sample: 300, Seed: 1, // questions in more than one part
	})
	require.NoError(t, err)
	return v
}

func faultsOf(v Verification) map[FaultKind]int64 {
	counts := map[FaultKind]int64{}
	for _, f := range v.Faults {
		if f.Count > 0 {
			counts[f.Kind] = f.Count
		}
	}
	return counts
}

func randoms(r *rand.Rand, n int) [][]float32 {
	all := make([][]float32, n)
	for i := range all {
		all[i] = random(r)
	}
	return all
}

func TestVerifyAWholeLibrary(t *testing.T) {
	db, url := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	require.NoError(t, db.AddBank(t.Context(), "off", "ann", ""))
	review := 0.3
	require.NoError(t, db.SetBank(t.Context(), "spam", testModel.Fingerprint, Thresholds{0.9, &review}, "ann", ""))
	for i := range 60 {
		f := newFlag([]string{"default", "spam", "off"}[i%3], fmt.Sprint(i), random(r))
		f.Embeddings[0].Penalty = 0.1
		f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 80}}
		mustFlag(t, db, f)
	}
	require.NoError(t, db.DisableBank(t.Context(), "off", "ann", ""))

	v := verify(t, open(t, as(t, db, url, "moderator_reader")))
	for _, a := range []Agreement{v.Embeddings, v.PDQ} {
		require.EqualValues(t, 60, a.Rows)
		require.Equal(t, 300, a.Queries)
		require.Greater(t, a.Expected, 50)
		require.Equal(t, a.Expected, a.Found)
		require.Nil(t, a.Worst)
		require.Equal(t, 1.0, a.Recall())
	}
	require.Empty(t, faultsOf(v))
	require.Len(t, v.Faults, 6)
	require.Equal(t, 60, v.Models[0].Embeddings)
}

func TestVerifyAnEmptyLibrary(t *testing.T) {
	db, _ := library(t)
	v := verify(t, db)
	require.Zero(t, v.Embeddings.Queries)
	require.Equal(t, 1.0, v.PDQ.Recall())
	require.Empty(t, faultsOf(v))
	_, err := db.Verify(t.Context(), VerifyOptions{Model: testModel.Fingerprint})
	require.ErrorIs(t, err, ErrInvalid)
	_, err = db.Verify(t.Context(), VerifyOptions{Model: sum256("another"), Sample: 1})
	require.ErrorIs(t, err, ErrUnknownModel)
}

// Rows that matching does not find: what a fault of what is kept in memory would be like.
func TestVerifyFindsWhatMatchingMisses(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(2, 2))
	hash := func(name string) {
		f := newFlag("default", name, random(r))
		f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 80}}
		mustFlag(t, db, f)
	}
	fill(t, db, "default", randoms(r, 800), noPenalty)
	for i := range 150 {
		hash(fmt.Sprint("kept ", i))
	}
	_, _, err := db.Warm(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	_, _, err = db.WarmHashes(t.Context())
	require.NoError(t, err)
	db.end() // what is added is not read any more
	fill(t, db, "default", randoms(r, 250), noPenalty)
	for i := range 100 {
		hash(fmt.Sprint("missed ", i))
	}
	known, err := db.model(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	claimRead(t, db.sketchesOf(known)) // nor compared
	claimRead(t, db.hashes)

	v := verify(t, db)
	require.Less(t, v.Embeddings.Recall(), 0.9)
	require.Greater(t, v.Embeddings.Recall(), 0.5)
	require.Greater(t, v.Embeddings.Worst.Score, 0.8) // 1, less the penalty of the query
	require.InDelta(t, v.Embeddings.Worst.Score-testModel.BlockAt, v.Embeddings.Worst.Over, 1e-6)
	require.Equal(t, "default", v.Embeddings.Worst.Bank)
	require.Less(t, v.PDQ.Recall(), 0.9)
	require.Less(t, v.PDQ.Worst.Distance, 5)
	flag, err := db.Show(t.Context(), v.PDQ.Worst.FlaggedID.String())
	require.NoError(t, err)
	require.Contains(t, flag.Source, "missed")
}

// claimRead has a mirror say that it has read all that there is now.
func claimRead[S interface {
	Len() int
	Bytes() int64
}](t *testing.T, m *candidateIndex[S]) {
	have := *m.have.Load()
	require.NoError(t, m.db.pool.QueryRow(t.Context(), "SELECT pg_current_snapshot()::text").Scan(&have.snapshot))
	m.have.Store(&have)
}

func TestVerifyFindsFaults(t *testing.T) {
	db, url := library(t)
	r := rand.New(rand.NewPCG(3, 3))
	other := Model{Name: "other", Fingerprint: sum256("other"), Dims: dims, BlockAt: 0.9, ReviewAt: 0.8}
	require.NoError(t, db.RegisterModel(t.Context(), other))
	good := mustFlag(t, db, newFlag("default", "good", random(r)))
	old := newFlag("default", "old", random(r))
	old.Model = other.Fingerprint
	old.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 80}}
	before := mustFlag(t, db, old)
	lacking := newFlag("default", "lacking", random(r))
	lacking.Embeddings[0].View = "flip-horizontal"
	mustFlag(t, db, lacking)
	damaged := mustFlag(t, db, newFlag("default", "damaged", random(r)))

	// As a restore or a bulk load may do it, with triggers and foreign keys off.
	gone := uuid.New()
	require.NoError(t, exec(t, url, fmt.Sprintf(`SET session_replication_role = replica;
		INSERT INTO flagged_embedding SELECT model_id, '%[1]s', bank_id, view, penalty, embedding FROM flagged_embedding WHERE image_id = '%[2]s';
		INSERT INTO flagged_pdq SELECT '%[1]s', bank_id, view, hash, quality FROM flagged_pdq;
		DELETE FROM flagged_embedding WHERE image_id = '%[2]s'; UPDATE flagged_image SET sha256 = NULL, signal_key = sha256 WHERE id = '%[2]s';
		UPDATE flagged_embedding SET penalty = 0.5 WHERE image_id = '%[3]s'`, gone, good.ID, damaged.ID)))

	v := verify(t, db)
	require.Equal(t, map[FaultKind]int64{
		NotEmbedded: 1, MissingViews: 1, OrphanEmbedding: 1, OrphanHash: 1, NoSignal: 1, DamagedVector: 1,
	}, faultsOf(v))
	for _, f := range v.Faults {
		switch f.Kind {
		case NotEmbedded:
			require.Equal(t, []uuid.UUID{before.ID}, f.Examples)
		case OrphanEmbedding, OrphanHash:
			require.Equal(t, []uuid.UUID{gone}, f.Examples)
		}
	}
	require.Len(t, v.Models, 2)
}

// Copies that geometric verification accepts are among the candidates, and a fault of the index is seen.
func TestVerifyKeypoints(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	require.NoError(t, db.AddBank(t.Context(), "off", "ann", ""))
	flag := func(bank, name string) uuid.UUID {
		f := someKeypoints(r)
		f.Points = append(f.Points, someKeypoints(r).Points...) // the index has half of them
		return flagWithKeypoints(t, db, r, bank, name, f)
	}
	for i := range 40 {
		flag([]string{"default", "off"}[i%2], fmt.Sprint(i))
	}
	require.NoError(t, db.DisableBank(t.Context(), "off", "ann", ""))
	options := VerifyOptions{
		Model: testModel.Fingerprint, Penalty: func([]float32) float32 { return 0 }, Sample: 100, Seed: 1, Candidates: 8,
	}
	v, err := db.Verify(t.Context(), options)
	require.NoError(t, err)
	require.EqualValues(t, 20, v.Keypoints.Rows)
	require.Equal(t, 100, v.Keypoints.Queries)
	require.Greater(t, v.Keypoints.Expected, 80)
	require.Equal(t, 1.0, v.Keypoints.Recall())
	require.Nil(t, v.Keypoints.Worst)

	db.end()
	for i := range 20 {
		flag("default", fmt.Sprint("missed ", i))
	}
	claimRead(t, db.keypoints) // and it has not
	v, err = db.Verify(t.Context(), options)
	require.NoError(t, err)
	require.Less(t, v.Keypoints.Recall(), 0.8)
	missed, err := db.Show(t.Context(), v.Keypoints.Worst.FlaggedID.String())
	require.NoError(t, err)
	require.Contains(t, missed.Source, "missed")
}
