package app

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/matchdb"
	"moderator/internal/testenv"
)

// A library that does not fit is refused in words, which say what to do.
func TestALibraryThatDoesNotFitIsRefused(t *testing.T) {
	url := testenv.Postgres(t)
	_, _, err := matchdb.Migrate(t.Context(), url)
	require.NoError(t, err)
	db, err := matchdb.Open(t.Context(), url)
	require.NoError(t, err)
	defer db.Close()
	model := matchdb.Model{Name: "test", Fingerprint: strings.Repeat("ab", 32), Dims: 3, BlockAt: 0.5, ReviewAt: 0.4}
	require.NoError(t, db.RegisterModel(t.Context(), model))
	sum := sha256.Sum256(nil)
	_, err = db.Flag(t.Context(), matchdb.NewFlag{
		Bank: "default", SHA256: hex.EncodeToString(sum[:]), By: "ann", Model: model.Fingerprint,
		Embeddings: []matchdb.Embedding{{View: "original", Vector: []float32{1, 0, 0}}},
	})
	require.NoError(t, err)
	models := []matchdb.Model{model}
	takes, err := fits(t.Context(), db, models, 8, ownMemory+1<<10, "the machine's memory")
	require.NoError(t, err)
	const parts = "1 embeddings, 0 PDQ hashes and the keypoints of 0 flags take about 0 MB, and moderator itself 256 MB"
	require.Equal(t, parts+", of 256 MB (the machine's memory); reading takes about 0s", takes)
	takes, err = fits(t.Context(), db, models, 8, 0, "")
	require.NoError(t, err, "nobody knows the limit")
	require.Equal(t, parts+"; reading takes about 0s", takes)
	_, err = fits(t.Context(), db, models, 8, ownMemory, "the container's limit")
	require.EqualError(t, err, "the library does not fit into memory: "+parts+", of 256 MB (the container's limit): give it more memory, or retract flags")
}

func TestMemoryIsLimited(t *testing.T) {
	available, source := memory()
	require.Greater(t, available, int64(ownMemory))
	require.Less(t, available, int64(math.MaxInt64/2))
	require.NotEmpty(t, source)
}
