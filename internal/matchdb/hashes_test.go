package matchdb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

// randomHash and flipped make hashes at a known distance.
func randomHash(r *rand.Rand) (h pdq.Hash) {
	for i := range h {
		h[i] = byte(r.Uint32())
	}
	return h
}

func flipped(h pdq.Hash, bits int) pdq.Hash {
	for i := range bits {
		h[i/8] ^= 1 << (i % 8)
	}
	return h
}

func TestMatchHashes(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 2))
	require.NoError(t, db.AddBank(ctx, "spam", "mo", ""))
	hash := randomHash(r)
	f := newFlag("spam", "a", unit(random(r)))
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 100}, {View: "plain", Hash: randomHash(r), Quality: pdq.MinQuality - 1}}
	id := mustFlag(t, db, f).ID

	ask := func(qs ...HashQuery) [][]HashHit {
		t.Helper()
		hits, err := db.MatchHashes(ctx, qs)
		require.NoError(t, err)
		return hits
	}
	view := func(h pdq.Hash, quality int) HashQuery { return HashQuery{PDQ: []PDQ{{Hash: h, Quality: quality}}} }

	hits := ask(
		HashQuery{SHA256: f.SHA256},
		view(flipped(hash, pdq.MaxDistance), 100),
		view(flipped(hash, pdq.MaxDistance+1), 100),
		view(hash, pdq.MinQuality-1),
		view(f.PDQ[1].Hash, 100),
		HashQuery{SHA256: sum256("another file")},
		HashQuery{},
	)
	require.Equal(t, [][]HashHit{
		{{FlaggedID: id, Bank: "spam", Exact: true}},
		{{FlaggedID: id, Bank: "spam", View: "original", Distance: pdq.MaxDistance}},
		nil, nil, nil, nil, nil,
	}, hits)

	require.NoError(t, db.DisableBank(ctx, "spam", "mo", ""))
	require.Equal(t, [][]HashHit{nil, nil}, ask(HashQuery{SHA256: f.SHA256}, view(hash, 100)))
	require.NoError(t, db.EnableBank(ctx, "spam", "mo", ""))
	_, err := db.Retract(ctx, id.String(), "mo", "wrong")
	require.NoError(t, err)
	require.Equal(t, [][]HashHit{nil, nil}, ask(HashQuery{SHA256: f.SHA256}, view(hash, 100)))

	_, err = db.MatchHashes(ctx, []HashQuery{{SHA256: "zz"}})
	require.ErrorIs(t, err, ErrInvalid)
}

func TestMatchHashesByMD5(t *testing.T) {
	db, url := library(t)
	known, err := db.KnowsMD5(t.Context())
	require.NoError(t, err)
	require.False(t, known)
	collision, alone := "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	require.NoError(t, exec(t, url, "INSERT INTO flagged_image (bank_id, sha256, md5, created_by) VALUES (1, sha256('a'), '\\x"+collision+"', 'mo'), (1, NULL, '\\x"+alone+"', 'mo')"))
	known, err = db.KnowsMD5(t.Context())
	require.NoError(t, err)
	require.True(t, known)
	hits, err := db.MatchHashes(t.Context(), []HashQuery{
		{SHA256: sum256("anything"), MD5: alone}, {SHA256: sum256("a"), MD5: collision}, {SHA256: sum256("b"), MD5: collision},
	})
	require.NoError(t, err)
	require.Len(t, hits[0], 1)
	require.True(t, hits[0][0].Exact)
	require.Len(t, hits[1], 1, "once, by the SHA-256")
	require.Empty(t, hits[2], "another file of the same MD5")
	flag, err := db.Show(t.Context(), hits[0][0].FlaggedID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"", alone}, []string{flag.SHA256, flag.MD5})

	_, err = db.MatchHashes(t.Context(), []HashQuery{{MD5: "abc"}})
	require.ErrorContains(t, err, "want 32 hexadecimal digits")
}

// The indexes answer, in a library of some size, and every copy is found, wherever its bits differ.
func TestMatchHashesUsesTheIndexes(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(3, 4))
	id := mustFlag(t, db, newFlag("default", "a", unit(random(r)))).ID
	const rows = 4000
	hashes := make([]pdq.Hash, rows)
	texts := make([]string, rows)
	for i := range hashes {
		hashes[i] = randomHash(r)
		texts[i] = fmt.Sprintf("('%s', 1, 'v%d', x'%s', 100)", id, i, hashes[i])
	}
	require.NoError(t, exec(t, url, "INSERT INTO flagged_pdq VALUES "+strings.Join(texts, ",")+"; ANALYZE flagged_pdq"))

	plan := prepare(t, db, fmt.Sprintf(hashSQL, pdq.MaxDistance, pdqNearest), 7)()
	require.Contains(t, plan, "flagged_pdq_hnsw")
	require.Contains(t, plan, "flagged_pdq_keys")

	var asked []HashQuery
	var want [][]HashHit
	for i := range hashes {
		// Two bits of each part but one: the fewest ways to be found.
		near, lucky, bits := hashes[i], r.IntN(16), 0
		for part := range 16 {
			for _, bit := range r.Perm(16)[:2] {
				near[2*part+bit/8] ^= 1 << (bit % 8)
				if bits++; part == lucky {
					break
				}
			}
		}
		require.Equal(t, pdq.MaxDistance, bits)
		asked = append(asked, HashQuery{PDQ: []PDQ{{Hash: near, Quality: 80}}})
		want = append(want, []HashHit{{FlaggedID: id, Bank: "default", View: fmt.Sprintf("v%d", i), Distance: bits}})
	}
	hits, err := db.MatchHashes(ctx, asked)
	require.NoError(t, err)
	require.Equal(t, want, hits)
}

// Each hit says which of the upload's views is near.
func TestMatchHashesNamesTheView(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(5, 6))
	f := newFlag("default", "a", random(r))
	hash := randomHash(r)
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 100}}
	id := mustFlag(t, db, f).ID
	hits, err := db.MatchHashes(t.Context(), []HashQuery{{PDQ: []PDQ{
		{Hash: randomHash(r), Quality: 100}, {Hash: hash, Quality: pdq.MinQuality - 1}, {Hash: flipped(hash, 3), Quality: 100},
	}}})
	require.NoError(t, err)
	require.Equal(t, []HashHit{{FlaggedID: id, Bank: "default", View: "original", Distance: 3, Query: 2}}, hits[0])
}
