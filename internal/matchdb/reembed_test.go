package matchdb

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A new model's embeddings are added to what another embedded, by whoever may flag, and the audit log tells.
func TestAddEmbeddings(t *testing.T) {
	owner, url := library(t)
	db := open(t, as(t, owner, url, "moderator_curator"))
	r := rand.New(rand.NewPCG(5, 5))
	next := Model{Name: "next", Fingerprint: sum256("next"), Dims: dims, BlockAt: 0.9, ReviewAt: 0.8}
	require.NoError(t, db.RegisterModel(t.Context(), next))
	kept := mustFlag(t, db, newFlag("default", "kept", random(r))).ID
	retracted := mustFlag(t, db, newFlag("default", "retracted", random(r))).ID
	hash := newFlag("default", "hash", nil)
	hash.Embeddings = nil
	bare := mustFlag(t, db, hash).ID
	allowed, err := db.Allow(t.Context(), NewAllowed{
		SHA256: sum256("innocent"), By: "ann", Model: testModel.Fingerprint, Embeddings: []Embedding{{View: "original", Vector: random(r)}},
	})
	require.NoError(t, err)
	_, err = db.Retract(t.Context(), retracted.String(), "ann", "a mistake")
	require.NoError(t, err)

	coverage := func(model Model, views ...string) (full [2]int, lacking map[uuid.UUID]Unembedded) {
		c, err := db.Coverage(t.Context(), model.Fingerprint, views)
		require.NoError(t, err)
		lacking = map[uuid.UUID]Unembedded{}
		for _, u := range c.Lacking {
			lacking[u.ID] = u
		}
		return [2]int{c.Flags, c.Allowed}, lacking
	}
	full, lacking := coverage(testModel, "original")
	require.Equal(t, [2]int{1, 1}, full)
	require.Equal(t, map[uuid.UUID]Unembedded{bare: {ID: bare, SHA256: sum256("hash")}}, lacking)
	full, lacking = coverage(next, "original")
	require.Equal(t, [2]int{0, 0}, full)
	require.Equal(t, map[uuid.UUID]Unembedded{
		kept:       {ID: kept, SHA256: sum256("kept"), Before: true},
		bare:       {ID: bare, SHA256: sum256("hash")},
		allowed.ID: {ID: allowed.ID, Allowed: true, SHA256: sum256("innocent"), Before: true},
	}, lacking)

	v := random(r)
	more := MoreEmbeddings{
		Unembedded: lacking[kept], Model: next.Fingerprint, By: "bob", Why: "by model next", Embeddings: []Embedding{{View: "original", Vector: v}},
	}
	for range 2 { // again changes nothing
		require.NoError(t, db.AddEmbeddings(t.Context(), more))
	}
	more.Unembedded = lacking[allowed.ID]
	for range 2 {
		require.NoError(t, db.AddEmbeddings(t.Context(), more))
	}
	full, lacking = coverage(next, "original")
	require.Equal(t, [2]int{1, 1}, full)
	require.Len(t, lacking, 1)
	_, lacking = coverage(next, "original", "rotate-90")
	require.Len(t, lacking, 3, "in part is not enough")

	hits, err := db.Match(t.Context(), next.Fingerprint, []Query{{Vector: v}})
	require.NoError(t, err)
	require.Equal(t, kept, hits[0][0].FlaggedID)
	nearest, err := db.NearestAllowed(t.Context(), next.Fingerprint, []AllowQuery{{SHA256: sum256("x"), Query: Query{Vector: v}}})
	require.NoError(t, err)
	require.Equal(t, allowed.ID, nearest[0].Embedding.ID)

	changes, err := db.Audit(t.Context(), AuditFilter{Image: kept.String()})
	require.NoError(t, err)
	require.Equal(t, []any{"update", "bob", "by model next"}, []any{changes[0].Action, changes[0].By, changes[0].Reason})
	require.Equal(t, changes[0].Before, changes[0].After)
	changes, err = db.Audit(t.Context(), AuditFilter{Image: allowed.ID.String()})
	require.NoError(t, err)
	require.Equal(t, []string{"bob update allowed_image", "ann insert allowed_image"}, actions(changes))
	require.Equal(t, "by model next", changes[0].Reason)

	more.Unembedded = Unembedded{ID: retracted}
	require.ErrorIs(t, db.AddEmbeddings(t.Context(), more), ErrNotFound, "retracted")
	_, err = db.RemoveAllowed(t.Context(), allowed.ID.String(), "ann", "not so innocent")
	require.NoError(t, err)
	more.Unembedded = Unembedded{ID: allowed.ID, Allowed: true}
	require.ErrorIs(t, db.AddEmbeddings(t.Context(), more), ErrNotFound)
	more.Embeddings[0].Vector = v[1:]
	require.ErrorIs(t, db.AddEmbeddings(t.Context(), more), ErrInvalid)
}
