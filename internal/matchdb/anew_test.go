package matchdb

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"moderator/internal/hashlist"
)

// While all is read from another server nothing that was read before takes memory, and every look-up fails: it allows nothing.
func TestReadingAnewNeedsNoSecondCopy(t *testing.T) {
	const flags = 2000
	db, _ := library(t)
	db.end() // nothing is read but by this test
	r := rand.New(rand.NewPCG(7, 7))
	list := make([]hashlist.Flag, flags)
	for i := range list {
		points, err := someKeypoints(r).MarshalBinary()
		require.NoError(t, err)
		list[i] = hashlist.Flag{
			Bank: "default", Keypoints: points, PDQ: []hashlist.PDQ{{View: "original", Hash: randomHash(r), Quality: 100}},
			Embeddings: []hashlist.Embedding{{Model: testModel.Fingerprint, View: "original", Vector: random(r)}},
		}
	}
	load(t, db, list)
	known, err := db.model(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	requireOneCopy(t, db, db.sketchesOf(known))
	requireOneCopy(t, db, db.hashes)
	requireOneCopy(t, db, db.keypoints)

	hits, err := db.Match(t.Context(), testModel.Fingerprint, []Query{{Vector: list[7].Embeddings[0].Vector}})
	require.NoError(t, err)
	require.NotEmpty(t, hits[0])
	found, err := db.MatchHashes(t.Context(), []HashQuery{{PDQ: []PDQ{{Hash: list[7].PDQ[0].Hash, Quality: 100}}}})
	require.NoError(t, err)
	require.NotEmpty(t, found[0])
}

func requireOneCopy[S interface {
	Len() int
	Bytes() int64
}](t *testing.T, db *DB, m *candidateIndex[S]) {
	t.Helper()
	_, once, err := m.warm(t.Context())
	require.NoError(t, err)
	moved := *m.have.Load()
	moved.server = "another life"
	m.have.Store(&moved)
	take, most, rows := m.take, int64(0), 0
	m.take = func(row pgx.Rows, set S) (uuid.UUID, error) {
		id, err := take(row, set)
		most = max(most, m.have.Load().set.Bytes()+set.Bytes())
		if _, err := m.get(t.Context()); rows == 0 {
			require.ErrorIs(t, err, errServerChanged, m.what)
			require.True(t, Retryable(err))
		}
		rows++
		return id, err
	}
	require.NoError(t, m.read(t.Context()))
	m.take = take
	require.Equal(t, rows, m.have.Load().set.Len(), m.what)
	require.Positive(t, once)
	require.LessOrEqual(t, float64(most), 1.1*float64(once), m.what)
}
