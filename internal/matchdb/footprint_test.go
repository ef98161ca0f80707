package matchdb

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/sketch"
)

func TestFootprintCountsWhatIsRead(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(1, 10))
	flagWithKeypoints(t, db, r, "default", "with", someKeypoints(r))
	hashed := newFlag("default", "hashed", random(r))
	hashed.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 100}}
	mustFlag(t, db, hashed)

	_, _, err := db.WarmHashes(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, db.RowsRead())

	unknown := strings.Repeat("00", 32)
	f, err := db.Footprint(t.Context(), []string{testModel.Fingerprint, unknown}, true)
	require.NoError(t, err)
	require.Equal(t, Footprint{2, 1, 1, 2*sketch.BytesOf(dims) + hashBytes + keypointBytes, 0, 2*embeddingTime + hashTime + keypointTime}, f)
	f, err = db.Footprint(t.Context(), []string{unknown}, false)
	require.NoError(t, err)
	require.Equal(t, Footprint{Hashes: 1, Bytes: hashBytes, Reading: hashTime}, f)
}

// The bytes of a hash and of a flag's keypoints are those that the sets take.
func TestFootprintIsWhatTheSetsTake(t *testing.T) {
	const all, flags = 130_000, 12_000
	r := rand.New(rand.NewPCG(1, 11))
	var hashes hashSet
	keypoints := newKeypointSet()
	for range all {
		hashes.add(uuid.UUID{}, 1, randomHash(r))
	}
	hashes.flush()
	hashes.Wait()
	for range flags {
		keypoints.add(uuid.UUID{}, someKeypoints(r))
	}
	keypoints.flush()
	require.InEpsilon(t, hashBytes, float64(hashes.Bytes())/all, 0.15)
	require.InEpsilon(t, keypointBytes, float64(keypoints.Bytes())/flags, 0.15)
}
