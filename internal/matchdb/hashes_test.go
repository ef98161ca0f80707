package matchdb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/testenv"
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
	f := newFlag("spam", "a", testenv.Unit(random(r)))
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

func TestMatchHashesByMD5AndSHA1(t *testing.T) {
	db, url := library(t)
	_, known, err := db.KnownSums(t.Context())
	require.NoError(t, err)
	require.False(t, known)
	collision, alone := "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	require.NoError(t, exec(t, url, "INSERT INTO flagged_image (bank_id, sha256, md5, created_by) VALUES (1, sha256('a'), '\\x"+collision+"', 'mo'), (1, NULL, '\\x"+alone+"', 'mo')"))
	bySHA1, known, err := db.KnownSums(t.Context())
	require.NoError(t, err)
	require.True(t, known)
	require.False(t, bySHA1)
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

	sha1 := alone + "01234567"
	require.NoError(t, exec(t, url, "INSERT INTO flagged_image (bank_id, sha256, sha1, md5, created_by) VALUES (1, sha256('c'), '\\x"+sha1[:38]+"ff', NULL, 'mo'), (1, NULL, '\\x"+sha1+"', '\\x"+collision+"', 'mo')"))
	bySHA1, _, err = db.KnownSums(t.Context())
	require.NoError(t, err)
	require.True(t, bySHA1)
	hits, err = db.MatchHashes(t.Context(), []HashQuery{
		{SHA256: sum256("anything"), SHA1: sha1, MD5: collision}, {SHA256: sum256("d"), SHA1: sha1[:38] + "ff"}, {SHA256: sum256("e"), SHA1: sha1[:38] + "00", MD5: collision},
	})
	require.NoError(t, err)
	require.Len(t, hits[0], 1, "once, by the SHA-1")
	require.Empty(t, hits[1], "another file of the same SHA-1 than that of a known SHA-256")
	require.Empty(t, hits[2], "another file of the same MD5")
	flag, err = db.Show(t.Context(), hits[0][0].FlaggedID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"", sha1, collision}, []string{flag.SHA256, flag.SHA1, flag.MD5})

	_, err = db.MatchHashes(t.Context(), []HashQuery{{MD5: "abc"}})
	require.ErrorContains(t, err, "want 32 hexadecimal digits")
	_, err = db.MatchHashes(t.Context(), []HashQuery{{SHA1: alone}})
	require.ErrorContains(t, err, "want 40 hexadecimal digits")
}

// Every copy is found, wherever its bits differ, and no table is read from end to end.
func TestMatchHashesFindsEveryCopy(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(3, 4))
	const rows = 4000
	hashes := make([]pdq.Hash, rows)
	id := func(i int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8)}) }
	var texts, images []string
	for i := range hashes {
		hashes[i] = randomHash(r)
		images = append(images, fmt.Sprintf("('%s', 1, sha256('%d'), 'mo')", id(i), i))
		texts = append(texts, fmt.Sprintf("('%s', 1, 'v%d', x'%s', 100)", id(i), i, hashes[i]))
	}
	require.NoError(t, exec(t, url, "INSERT INTO flagged_image (id, bank_id, sha256, created_by) VALUES "+strings.Join(images, ",")+
		"; INSERT INTO flagged_pdq VALUES "+strings.Join(texts, ",")+"; ANALYZE flagged_pdq, flagged_image"))

	plan := string(explain(t, db, db.hashes.compare, nil))
	require.Contains(t, plan, "flagged_pdq_pkey")
	require.Contains(t, plan, "flagged_pdq_added")
	require.NotContains(t, plan, "Seq Scan on flagged")

	var asked []HashQuery
	var want [][]HashHit
	for i := range hashes {
		near := hashes[i]
		for _, bit := range r.Perm(pdq.Bits)[:i%100] {
			near[bit/8] ^= 1 << (bit % 8)
		}
		asked = append(asked, HashQuery{PDQ: []PDQ{{Hash: near, Quality: 80}}, Bits: 31 + i%2*49})
		want = append(want, nil)
		if i%100 <= asked[i].Bits {
			want[i] = []HashHit{{FlaggedID: id(i), Bank: "default", View: fmt.Sprintf("v%d", i), Distance: i % 100}}
		}
	}
	hits, err := db.MatchHashes(ctx, asked)
	require.NoError(t, err)
	require.Equal(t, want, hits)
}

// A hash counts before it is read, and no longer once its flag is retracted, and again when that is restored.
func TestHashesCountBeforeTheyAreRead(t *testing.T) {
	db, _ := library(t)
	db.end() // they are read when they are told to
	ctx := t.Context()
	r := rand.New(rand.NewPCG(7, 8))
	hash := randomHash(r)
	ask := func() (ids []uuid.UUID) {
		t.Helper()
		hits, err := db.MatchHashes(ctx, []HashQuery{{PDQ: []PDQ{{Hash: flipped(hash, 20), Quality: 100}}}})
		require.NoError(t, err)
		for _, h := range hits[0] {
			ids = append(ids, h.FlaggedID)
		}
		return ids
	}
	require.Empty(t, ask())
	f := newFlag("default", "a", random(r))
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 100}}
	flag := mustFlag(t, db, f).ID
	requireFollows(t, db, db.hashes, flag, ask, func() error {
		_, err := db.MatchHashes(ctx, []HashQuery{{SHA256: f.SHA256}})
		return err
	})
}

// requireFollows checks that ask finds a flag that was just added, from then on until it is retracted, and again once it is restored,
// whether or not the index has read it; and that search is refused when the server has changed.
func requireFollows[S interface {
	Len() int
	Bytes() int64
}](t *testing.T, db *DB, index *candidateIndex[S], flag uuid.UUID, ask func() []uuid.UUID, search func() error) {
	t.Helper()
	ctx := t.Context()
	set := func() S { return index.have.Load().set }
	require.Zero(t, set().Len())
	require.Equal(t, []uuid.UUID{flag}, ask())
	require.NoError(t, index.read(ctx))
	require.Equal(t, 1, set().Len())
	require.Equal(t, []uuid.UUID{flag}, ask())

	_, err := db.Retract(ctx, flag.String(), "mo", "wrong")
	require.NoError(t, err)
	require.Empty(t, ask())
	require.Zero(t, set().Len(), "what is deleted leaves the index")
	_, err = db.RestoreAll(ctx, []uuid.UUID{flag}, "mo", "right after all")
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{flag}, ask())
	require.NoError(t, index.read(ctx))
	require.Equal(t, 1, set().Len())
	require.Equal(t, []uuid.UUID{flag}, ask())

	restarted := *index.have.Load()
	restarted.server = "another life"
	index.have.Store(&restarted)
	require.ErrorIs(t, search(), errServerChanged)
}

// Copies of one picture that were just retracted hide none of the others, however many.
func TestACrowdThatIsGoneHidesNoHash(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(9, 9))
	hash := randomHash(r)
	flag := func(name string, bits int) uuid.UUID {
		f := newFlag("default", name, random(r))
		f.PDQ = []PDQ{{View: "original", Hash: flipped(hash, bits), Quality: 100}}
		return mustFlag(t, db, f).ID
	}
	var crowd []uuid.UUID
	for i := range pdqNearest + 1 {
		crowd = append(crowd, flag(fmt.Sprint(i), 0))
	}
	other := flag("other", 5)
	db.end()
	_, _, err := db.WarmHashes(ctx)
	require.NoError(t, err)
	for _, id := range crowd {
		_, err := db.Retract(ctx, id.String(), "mo", "wrong")
		require.NoError(t, err)
	}
	hits, err := db.MatchHashes(ctx, []HashQuery{{PDQ: []PDQ{{Hash: hash, Quality: 100}}}})
	require.NoError(t, err)
	require.Len(t, hits[0], 1)
	require.Equal(t, other, hits[0][0].FlaggedID)
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
