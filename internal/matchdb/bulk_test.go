package matchdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/hashlist"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
)

// listFlags are n flags of a bank of all kinds: known by SHA-256, by SHA-1, by MD5, by PDQ hashes, by vectors.
func listFlags(r *rand.Rand, n int) []hashlist.Flag {
	flags := make([]hashlist.Flag, n)
	for i := range flags {
		f := hashlist.Flag{Bank: "default", Source: fmt.Sprintf("picture %d", i), Note: "a note"}
		if i%4 == 0 {
			f.SHA256 = randomBytes(r, 32)
		}
		if i%4 < 2 {
			f.MD5 = randomBytes(r, 16)
		}
		if i%8 == 1 {
			f.SHA1 = randomBytes(r, 20)
		}
		if i%4 != 3 {
			f.PDQ = []hashlist.PDQ{{View: "rotate-90", Hash: randomHash(r), Quality: 50 + i%51}, {View: "original", Hash: randomHash(r), Quality: 100}}
		}
		if i%5 == 0 {
			points, err := keypoint.Features{Width: 40, Height: 30}.MarshalBinary()
			if err != nil {
				panic(err)
			}
			f.Keypoints = points
		}
		if i%4 != 2 {
			f.Embeddings = []hashlist.Embedding{{Model: testModel.Fingerprint, View: "original", Penalty: float32(r.NormFloat64() / 10), Vector: random(r)}}
		}
		flags[i] = f
	}
	return flags
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func load(t testing.TB, db *DB, flags []hashlist.Flag) Loaded {
	t.Helper()
	for _, f := range flags {
		require.NoError(t, db.CheckFlag(t.Context(), f))
	}
	loaded, err := db.NewImport("mo", "a list").Load(t.Context(), flags)
	require.NoError(t, err)
	return loaded
}

// dump is the library as a list.
func dump(t testing.TB, db *DB, what Dump) string {
	t.Helper()
	var out bytes.Buffer
	var w *hashlist.Writer
	require.NoError(t, db.Dump(t.Context(), what, func(h hashlist.Header) (err error) {
		w, err = hashlist.NewWriter(&out, hashlist.Own, h)
		return err
	}, func(f hashlist.Flag) error {
		_, err := w.Write(f)
		return err
	}))
	require.NoError(t, w.Close())
	return out.String()
}

func TestLoadedFlagsMatchBySignal(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	flags := listFlags(r, 40)
	curatorURL := as(t, db, url, "moderator_curator")
	curator, err := Open(ctx, curatorURL)
	require.NoError(t, err)
	require.Equal(t, Loaded{New: 40}, load(t, curator, flags))
	curator.Close()
	require.Eventually(t, func() bool { // its tables go with its sessions, and then it can be dropped
		var sessions int
		err := db.pool.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", userOf(t, curatorURL)).Scan(&sessions)
		return err == nil && sessions == 0
	}, time.Minute, 10*time.Millisecond)
	for i, f := range flags {
		q := HashQuery{SHA256: hex.EncodeToString(f.SHA256), SHA1: hex.EncodeToString(f.SHA1), MD5: hex.EncodeToString(f.MD5)}
		if q.SHA256 != "" || q.MD5 != "" {
			hits, err := db.MatchHashes(ctx, []HashQuery{q})
			require.NoError(t, err)
			require.Len(t, hits[0], 1, "flag %d", i)
			require.True(t, hits[0][0].Exact)
		}
		for _, p := range f.PDQ {
			hits, err := db.MatchHashes(ctx, []HashQuery{{PDQ: []PDQ{{Hash: flipped(p.Hash, 9), Quality: 100}}}})
			require.NoError(t, err)
			require.Equal(t, []any{p.View, 9}, []any{hits[0][0].View, hits[0][0].Distance})
		}
		for _, e := range f.Embeddings {
			hit := match(t, db, Query{Vector: e.Vector})[0][0]
			require.InDelta(t, 1-float64(e.Penalty), hit.Score, Tolerance)
			flag, err := db.Show(ctx, hit.FlaggedID.String())
			require.NoError(t, err)
			require.Equal(t, []any{f.Source, "mo", hex.EncodeToString(f.SHA256), hex.EncodeToString(f.SHA1), hex.EncodeToString(f.MD5)}, []any{flag.Source, flag.CreatedBy, flag.SHA256, flag.SHA1, flag.MD5})
		}
	}
	var entries int
	require.NoError(t, db.pool.QueryRow(ctx, "SELECT sum((after ->> 'flags')::int) FROM audit_log WHERE table_name = 'flagged_image' AND actor = 'mo' AND reason = 'a list'").Scan(&entries))
	require.Equal(t, 40, entries)
}

func TestTheSameListAgainChangesNothing(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	flags := listFlags(rand.New(rand.NewPCG(2, 2)), 400)
	compare := func() Loaded {
		l, err := db.NewImport("mo", "").Compare(ctx, flags)
		require.NoError(t, err)
		return l
	}
	require.Equal(t, Loaded{New: 400}, compare())
	require.Equal(t, Loaded{New: 250}, load(t, db, flags[:250]))
	before := dump(t, db, Dump{})
	require.Equal(t, Loaded{Known: 250}, load(t, db, flags[:250]))
	require.True(t, before == dump(t, db, Dump{}))

	// Both at once, by four connections, in different orders.
	var group errgroup.Group
	for i := range 4 {
		part := append([]hashlist.Flag{}, flags...)
		rand.New(rand.NewPCG(3, uint64(i))).Shuffle(len(part), func(a, b int) { part[a], part[b] = part[b], part[a] })
		group.Go(func() error {
			_, err := db.NewImport("mo", "").Load(ctx, part)
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, Loaded{Known: 400}, compare())
	var images, views int
	require.NoError(t, db.pool.QueryRow(ctx, "SELECT (SELECT count(*) FROM flagged_image), (SELECT count(*) FROM flagged_embedding)").Scan(&images, &views))
	require.Equal(t, []int{400, 300}, []int{images, views})

	// What was retracted stays so, and a view that was missing is added.
	list, err := db.ListFlags(ctx, FlagFilter{Limit: 1})
	require.NoError(t, err)
	_, err = db.Retract(ctx, list[0].ID.String(), "mo", "innocent")
	require.NoError(t, err)
	require.Equal(t, Loaded{Known: 399, Retracted: 1}, compare())
	require.Equal(t, Loaded{Known: 399, Retracted: 1}, load(t, db, flags))
	flags[0].Embeddings = append(flags[0].Embeddings, hashlist.Embedding{Model: testModel.Fingerprint, View: "new", Vector: flags[0].Embeddings[0].Vector})
	imported, err := db.NewImport("bob", "more views").Load(ctx, flags[:3])
	require.NoError(t, err)
	require.Equal(t, Loaded{Known: 3}, imported)
	require.Contains(t, dump(t, db, Dump{}), `"view":"new"`)

	// The audit log has what added something to a flag, and no more.
	told, err := db.Audit(ctx, AuditFilter{By: "bob"})
	require.NoError(t, err)
	require.Equal(t, []string{"bob update flagged_image"}, actions(told))
	require.Equal(t, "more views", told[0].Reason)
	flag, err := db.Show(ctx, told[0].RowID)
	require.NoError(t, err)
	require.Equal(t, flags[0].Source, flag.Source)
	all, err := db.Audit(ctx, AuditFilter{By: "mo"})
	require.NoError(t, err)
	flagged := 0.0
	for _, change := range all[1:] {
		flagged += change.After["flags"].(float64)
	}
	require.InDelta(t, 400, flagged, 0, "each flagged once")
	require.Equal(t, "update", all[0].Action, "and one retracted")
	history, err := db.History(ctx, list[0].ID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"mo insert flagged_image", "mo update flagged_image"}, actions(history), "a flag of a list has its own history")
	require.Equal(t, []any{list[0].ID.String(), list[0].Source, nil}, []any{history[0].RowID, history[0].After["source"], history[0].After["retracted_by"]})
}

// A list that is loaded into a library with flags hides none of them at any moment.
func TestMatchingGoesOnBesideALoad(t *testing.T) {
	const there, part, atOnce, rounds = 40, 60, 2, 3
	db, _ := library(t)
	r := rand.New(rand.NewPCG(7, 7))
	var vectors []Query
	var hashes []HashQuery
	var ids []uuid.UUID
	for i := range there {
		f := newFlag("default", fmt.Sprint("there ", i), random(r))
		f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 100}}
		vectors = append(vectors, Query{Vector: f.Embeddings[0].Vector})
		hashes = append(hashes, HashQuery{PDQ: []PDQ{{Hash: flipped(f.PDQ[0].Hash, 9), Quality: 100}}})
		ids = append(ids, mustFlag(t, db, f).ID)
	}
	list := listFlags(r, rounds*atOnce*part)
	for i := range list {
		for j := range list[i].Embeddings {
			list[i].Embeddings[j].Penalty = 0 // so that none scores higher than a flag's own vector
		}
	}
	found := func() {
		t.Helper()
		byHash, err := db.MatchHashes(t.Context(), hashes)
		require.NoError(t, err)
		for i, byVector := range match(t, db, vectors...) {
			require.NotEmpty(t, byVector, "flag %d by its vector", i)
			require.NotEmpty(t, byHash[i], "flag %d by its hash", i)
			require.Equal(t, []uuid.UUID{ids[i], ids[i]}, []uuid.UUID{byVector[0].FlaggedID, byHash[i][0].FlaggedID})
		}
	}
	load, matched := db.NewImport("mo", "a list"), 0
	for parts := range slices.Chunk(list, atOnce*part) {
		var group errgroup.Group
		for p := range slices.Chunk(parts, part) {
			group.Go(func() error {
				loaded, err := load.Load(t.Context(), p)
				if err == nil && loaded.New != part {
					err = fmt.Errorf("loaded %+v, wanted %d new", loaded, part)
				}
				return err
			})
		}
		done := make(chan error, 1)
		go func() { done <- group.Wait() }()
		for loading := true; loading; matched++ {
			found()
			select {
			case err := <-done:
				require.NoError(t, err)
				loading = false
			default:
			}
		}
	}
	found()
	require.NotEmpty(t, match(t, db, Query{Vector: list[0].Embeddings[0].Vector})[0], "and so is what was loaded")
	t.Logf("matched %d times beside %d loads", matched, rounds*atOnce)
}

func TestOneFlagTwiceInAPart(t *testing.T) {
	db, _ := library(t)
	f := listFlags(rand.New(rand.NewPCG(3, 3)), 3)[2]
	g := f
	g.PDQ = []hashlist.PDQ{f.PDQ[1], f.PDQ[0]}
	require.Equal(t, Loaded{New: 1, Known: 1}, load(t, db, []hashlist.Flag{f, g}))
	told, err := db.Audit(t.Context(), AuditFilter{By: "mo"})
	require.NoError(t, err)
	require.Equal(t, []string{"mo insert flagged_image"}, actions(told))
}

func TestDumpIntoAnEmptyLibraryDumpsTheSame(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(4, 4))
	require.NoError(t, db.AddBank(ctx, "spam", "mo", ""))
	require.NoError(t, db.AddBank(ctx, "empty", "mo", ""))
	flags := listFlags(r, 2*dumpRows+100)
	for i := range flags {
		if i%3 == 0 {
			flags[i].Bank = "spam"
		}
	}
	load(t, db, flags)
	retracted := mustFlag(t, db, newFlag("spam", "retracted", random(r)))
	_, err := db.Retract(ctx, retracted.ID.String(), "mo", "wrong")
	require.NoError(t, err)
	added := newFlag("spam", "by hand", random(r))
	added.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: pdq.MinQuality}}
	added.MD5 = hex.EncodeToString(randomBytes(r, 16))
	mustFlag(t, db, added)
	first := dump(t, db, Dump{})

	other, _ := library(t)
	require.NoError(t, other.AddBank(ctx, "spam", "ann", ""))
	list, err := hashlist.Open(bytes.NewReader([]byte(first)), "")
	require.NoError(t, err)
	require.NoError(t, other.CheckModels(ctx, list.Header.Models))
	var back []hashlist.Flag
	for range len(flags) + 1 {
		f, err := list.Next()
		require.NoError(t, err)
		back = append(back, f)
	}
	require.Equal(t, Loaded{New: len(back)}, load(t, other, back))
	require.True(t, first == dump(t, other, Dump{}), "byte by byte")

	require.NotContains(t, dump(t, db, Dump{Bank: "spam"}), `"bank":"default"`)
	require.Contains(t, first, `"embeddings"`)
	require.NotContains(t, dump(t, db, Dump{HashesOnly: true}), `"embeddings"`)
	require.NoError(t, db.DisableBank(ctx, "spam", "mo", ""))
	require.Contains(t, dump(t, db, Dump{}), `"disabled_banks":["spam"]`)
	require.ErrorIs(t, db.Dump(ctx, Dump{Bank: "nowhere"}, nil, nil), ErrUnknownBank)
}

func TestListsOfAnotherModelAreRefused(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	ours, theirs := hashlist.Model{Fingerprint: testModel.Fingerprint, Dims: dims}, hashlist.Model{Fingerprint: sum256("theirs"), Dims: 8}
	require.NoError(t, db.CheckModels(ctx, []hashlist.Model{ours}))
	err := db.CheckModels(ctx, []hashlist.Model{ours, theirs})
	require.ErrorIs(t, err, ErrUnknownModel)
	require.ErrorContains(t, err, "the embeddings are of model "+theirs.Fingerprint+" (8 dimensions), this library's of "+ours.Fingerprint+" (32 dimensions)")
	require.ErrorContains(t, db.CheckModels(ctx, []hashlist.Model{{Fingerprint: ours.Fingerprint, Dims: 31}}), "(31 dimensions), this library's of ")

	good := listFlags(rand.New(rand.NewPCG(5, 5)), 1)[0]
	for want, change := range map[string]func(*hashlist.Flag){
		"invalid bank name":                     func(f *hashlist.Flag) { f.Bank = "No Such Name" },
		"the embeddings are of model " + "abcd": func(f *hashlist.Flag) { f.Embeddings[0].Model = "abcd" },
		"view original of model abababababab: invalid vector: it has 31 dimensions": func(f *hashlist.Flag) { f.Embeddings[0].Vector = f.Embeddings[0].Vector[1:] },
		"its length is 0, want 1":    func(f *hashlist.Flag) { f.Embeddings[0].Vector = make([]float32, dims) },
		"invalid background penalty": func(f *hashlist.Flag) { f.Embeddings[0].Penalty = 2 },
	} {
		bad := good
		bad.Embeddings = append([]hashlist.Embedding{}, good.Embeddings...)
		change(&bad)
		require.ErrorContains(t, db.CheckFlag(ctx, bad), want)
	}
	_, err = db.NewImport("mo", "").Load(ctx, []hashlist.Flag{{Bank: "nowhere", MD5: good.MD5}})
	require.ErrorIs(t, err, ErrUnknownBank)
}

// A library of hashes alone is fit for any model; a moderator starts on it.
func TestALibraryOfHashesFitsEveryModel(t *testing.T) {
	db, _ := library(t)
	load(t, db, listFlags(rand.New(rand.NewPCG(6, 6)), 3)[2:])
	require.NoError(t, db.CheckModel(t.Context(), sum256("any model")))
}
