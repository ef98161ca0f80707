package matchdb

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Hashes from before they were compared in memory are found, retracted and restored as new ones are, and a moderator from then
// waits.
func TestMigrateHashes(t *testing.T) {
	db, url := libraryBefore(t, 15)
	r := rand.New(rand.NewPCG(1, 1))
	flag := func(name string) (uuid.UUID, HashQuery) {
		f := newFlag("default", name, random(r))
		f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 100}}
		return mustFlag(t, db, f).ID, HashQuery{PDQ: []PDQ{{Hash: flipped(f.PDQ[0].Hash, 20), Quality: 100}}}
	}
	old, askedOld := flag("flagged")
	retracted, askedRetracted := flag("retracted")
	_, err := db.Retract(t.Context(), retracted.String(), "ann", "an error")
	require.NoError(t, err)
	_, err = db.pool.Exec(t.Context(), "SELECT require_indexed('flagged_pdq')")
	require.NoError(t, err)

	_, _, err = Migrate(t.Context(), url)
	require.NoError(t, err)
	_, err = db.pool.Exec(t.Context(), "SELECT require_indexed('flagged_pdq')")
	require.Equal(t, "MD001", pgCode(err), "it takes this for an index that is being built")
	found := func(asked HashQuery) (ids []uuid.UUID) {
		t.Helper()
		hits, err := db.MatchHashes(t.Context(), []HashQuery{asked})
		require.NoError(t, err)
		for _, h := range hits[0] {
			ids = append(ids, h.FlaggedID)
		}
		return ids
	}
	require.Equal(t, []uuid.UUID{old}, found(askedOld))
	require.Empty(t, found(askedRetracted))
	_, err = db.Retract(t.Context(), old.String(), "ann", "an error")
	require.NoError(t, err)
	_, err = db.RestoreAll(t.Context(), []uuid.UUID{retracted}, "ann", "none")
	require.NoError(t, err)
	require.Empty(t, found(askedOld))
	require.Equal(t, []uuid.UUID{retracted}, found(askedRetracted))
}
