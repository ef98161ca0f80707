package matchdb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

func newAllowed(name string, vector []float32, hash pdq.Hash) NewAllowed {
	return NewAllowed{
		SHA256: sum256(name), Source: name, Note: "innocent", By: "ann", Model: testModel.Fingerprint,
		Embeddings: []Embedding{{View: "original", Vector: vector, Penalty: 0.1}},
		PDQ:        []PDQ{{View: "original", Hash: hash, Quality: 100}},
	}
}

func TestAllowList(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	v, hash := random(r), randomHash(r)
	a := newAllowed("a", v, hash)
	stored, err := db.Allow(ctx, a)
	require.NoError(t, err)
	require.Equal(t, 1, stored.Added)
	again, err := db.Allow(ctx, a)
	require.NoError(t, err)
	require.Equal(t, FlagResult{ID: stored.ID, Existing: true}, again)
	more := a
	more.Embeddings, more.By = []Embedding{{View: "flip-horizontal", Vector: random(r)}}, "bob"
	_, err = db.Allow(ctx, more)
	require.NoError(t, err)
	told, err := db.History(ctx, stored.ID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert allowed_image", "bob update allowed_image"}, actions(told), "what added something")

	list, err := db.AllowList(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, []any{stored.ID, a.SHA256, "a", "innocent", "ann", 2},
		[]any{list[0].ID, list[0].SHA256, list[0].Source, list[0].Note, list[0].CreatedBy, list[0].Views})

	_, err = db.RemoveAllowed(ctx, stored.ID.String()[:8], "ann", "")
	require.ErrorIs(t, err, ErrInvalid)
	removed, err := db.RemoveAllowed(ctx, stored.ID.String()[:8], "ann", "not so innocent")
	require.NoError(t, err)
	require.Equal(t, stored.ID, removed)
	_, err = db.RemoveAllowed(ctx, stored.ID.String(), "ann", "again")
	require.ErrorIs(t, err, ErrNotFound)
	near, err := db.NearestAllowed(ctx, testModel.Fingerprint, []AllowQuery{{SHA256: a.SHA256, Query: Query{Vector: v}, PDQ: a.PDQ[0]}})
	require.NoError(t, err)
	require.Equal(t, []NearestAllowed{{}}, near)

	a.SHA256 = "zz"
	_, err = db.Allow(ctx, a)
	require.ErrorIs(t, err, ErrInvalid)
	a = newAllowed("b", v[1:], hash)
	_, err = db.Allow(ctx, a)
	require.ErrorIs(t, err, ErrInvalid)
}

func TestNearestAllowed(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(2, 2))
	var all []NewAllowed
	var ids []uuid.UUID
	for i := range 30 {
		all = append(all, newAllowed(fmt.Sprint(i), random(r), randomHash(r)))
		stored, err := db.Allow(ctx, all[i])
		require.NoError(t, err)
		ids = append(ids, stored.ID)
	}
	near, err := db.NearestAllowed(ctx, testModel.Fingerprint, []AllowQuery{
		{SHA256: all[3].SHA256, Query: Query{Vector: all[5].Embeddings[0].Vector, Penalty: 0.2}, PDQ: PDQ{Hash: flipped(all[7].PDQ[0].Hash, 9), Quality: 100}},
		{SHA256: sum256("another"), Query: Query{Vector: all[8].Embeddings[0].Vector}, PDQ: PDQ{Quality: pdq.MinQuality - 1}},
	})
	require.NoError(t, err)
	require.Equal(t, ids[3], near[0].SameFile.ID)
	require.Equal(t, ids[5], near[0].Embedding.ID)
	require.InDelta(t, 0.7, near[0].Embedding.Score, Tolerance)
	require.InDelta(t, 1, near[0].Embedding.Similarity, Tolerance)
	require.Equal(t, &AllowHit{ID: ids[7], View: "original", Distance: 9}, near[0].PDQ)
	require.Nil(t, near[1].SameFile)
	require.Nil(t, near[1].PDQ)
	require.Equal(t, ids[8], near[1].Embedding.ID)

	_, err = db.NearestAllowed(ctx, sum256("unknown"), nil)
	require.ErrorIs(t, err, ErrUnknownModel)
}

// A long list is searched by its indexes, for a model that was registered after the migration.
func TestNearestAllowedUsesTheIndexes(t *testing.T) {
	db, url := library(t)
	r := rand.New(rand.NewPCG(3, 3))
	stored, err := db.Allow(t.Context(), newAllowed("a", random(r), randomHash(r)))
	require.NoError(t, err)
	var embeddings, hashes []string
	for i := range 3000 {
		embeddings = append(embeddings, fmt.Sprintf("(1, '%s', 'v%d', 0, '%s')", stored.ID, i, StoredVector(random(r), 0).String()))
		hashes = append(hashes, fmt.Sprintf("('%s', 'v%d', x'%s')", stored.ID, i, randomHash(r)))
	}
	require.NoError(t, exec(t, url, "INSERT INTO allowed_embedding VALUES "+strings.Join(embeddings, ",")+
		"; INSERT INTO allowed_pdq VALUES "+strings.Join(hashes, ",")+"; ANALYZE"))
	plan := string(explain(t, db, statement{sql: fmt.Sprintf(allowSQL, 1, dims+1)}, nil))
	require.Contains(t, plan, "allowed_embedding_1_hnsw")
	require.Contains(t, plan, "allowed_pdq_hnsw")
}

func TestCuratorKeepsTheAllowList(t *testing.T) {
	owner, url := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	a := newAllowed("a", random(r), randomHash(r))
	_, err := open(t, as(t, owner, url, "moderator_reader")).Allow(t.Context(), a)
	require.Equal(t, insufficientPrivilege, pgCode(err))
	curator := open(t, as(t, owner, url, "moderator_curator"))
	stored, err := curator.Allow(t.Context(), a)
	require.NoError(t, err)
	again, err := curator.Allow(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, FlagResult{ID: stored.ID, Existing: true}, again)
	_, err = curator.RemoveAllowed(t.Context(), stored.ID.String(), "bob", "a mistake")
	require.NoError(t, err)
}
