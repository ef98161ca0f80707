package matchdb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/pdq"
)

// recent makes an upload whose description is its name.
func recent(sequence int, views ...RecentView) RecentUpload {
	name := fmt.Sprint("upload ", sequence)
	return RecentUpload{
		Stream: "UPLOADS", Sequence: uint64(sequence), SHA256: sum256(name), Upload: json.RawMessage(`"` + name + `"`), Views: views,
	}
}

// lookBack is what is found of all days.
func lookBack(t testing.TB, db *DB, flags ...uuid.UUID) (past []PastHit) {
	t.Helper()
	days, err := db.RecentDays(t.Context())
	require.NoError(t, err)
	for _, day := range days {
		hits, err := db.Lookback(t.Context(), testModel.Fingerprint, flags, day)
		require.NoError(t, err)
		past = append(past, hits...)
	}
	return past
}

// What is kept is found as Match and MatchHashes find it, to the last bit.
func TestLookbackFindsWhatMatchWouldHave(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	v, mirrored, hash := random(r), random(r), randomHash(r)
	f := newFlag("default", "upload 1", v)
	f.Embeddings[0].Penalty = 0.05
	f.Embeddings = append(f.Embeddings, Embedding{View: "flip-horizontal", Vector: mirrored, Penalty: 0.1})
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 100}}

	reader := open(t, as(t, db, url, "moderator_reader"))
	require.NoError(t, reader.PrepareRecent(ctx, 30))
	var uploads []RecentUpload
	for i := range 200 {
		base := [][]float32{v, mirrored, random(r)}[i%3]
		view := RecentView{
			Query: Query{Vector: near(r, base, 2*r.Float64()), Penalty: 0.2 * r.Float32()},
			PDQ:   PDQ{Hash: flipped(hash, r.IntN(64)), Quality: 40 + r.IntN(60)},
		}
		other := RecentView{Query: Query{Vector: random(r), Penalty: 0.1}, PDQ: PDQ{Hash: randomHash(r), Quality: 100}}
		uploads = append(uploads, recent(i, other, view))
	}
	uploads = append(uploads, recent(len(uploads))) // with nothing to see
	require.NoError(t, reader.KeepRecent(ctx, testModel.Fingerprint, uploads[:100]))
	require.NoError(t, reader.KeepRecent(ctx, testModel.Fingerprint, uploads[50:]), "what is kept already is kept once")

	id := mustFlag(t, db, f).ID
	mustFlag(t, db, newFlag("default", "another", random(r)))
	past := lookBack(t, open(t, as(t, db, url, "moderator_curator")), id, uuid.New())
	type found struct {
		near *Hit
		hash []HashHit
	}
	got := map[string]*found{}
	for _, p := range past {
		name := string(p.Upload)
		if got[name] == nil {
			got[name] = &found{}
		}
		if p.Near != nil {
			require.Nil(t, got[name].near)
			got[name].near = p.Near
		} else {
			got[name].hash = append(got[name].hash, *p.Hash)
		}
	}
	count := 0
	for i, u := range uploads {
		want := &found{}
		hashes := HashQuery{SHA256: u.SHA256}
		for _, view := range u.Views {
			hashes.PDQ = append(hashes.PDQ, view.PDQ)
			for _, h := range match(t, db, view.Query)[0] {
				if h.FlaggedID == id && h.Score >= testModel.ReviewAt && (want.near == nil || h.Score > want.near.Score) {
					want.near = &h
				}
			}
		}
		hits, err := db.MatchHashes(ctx, []HashQuery{hashes})
		require.NoError(t, err)
		want.hash = hits[0]
		for j := range want.hash {
			want.hash[j].Query = 0
		}
		have := got[string(u.Upload)]
		if want.near == nil && len(want.hash) == 0 {
			require.Nil(t, have, "upload %d", i)
			continue
		}
		count++
		require.Equal(t, want, have, "upload %d", i)
	}
	require.Len(t, got, count)
	require.Greater(t, count, 50)
	require.Less(t, count, 190)

	_, err := db.Retract(ctx, id.String(), "ann", "a mistake")
	require.NoError(t, err)
	require.Empty(t, lookBack(t, db, id))
}

// The view that was near comes back with the hit, for the allow-list.
func TestLookbackReturnsTheView(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(2, 2))
	v, hash := random(r), randomHash(r)
	require.NoError(t, db.PrepareRecent(ctx, 1))
	require.NoError(t, db.KeepRecent(ctx, testModel.Fingerprint, []RecentUpload{
		recent(1, RecentView{Query: Query{Vector: v, Penalty: 0.25}, PDQ: PDQ{Hash: hash, Quality: 80}}),
	}))
	id := mustFlag(t, db, newFlag("default", "a", v)).ID
	past := lookBack(t, db, id)
	require.Len(t, past, 1)
	require.Equal(t, sum256("upload 1"), past[0].Query.SHA256)
	require.Equal(t, PDQ{Hash: hash, Quality: pdq.MinQuality}, past[0].Query.PDQ)
	require.InDelta(t, 1, innerProduct(v, past[0].Query.Vector), Tolerance)
	require.EqualValues(t, 0.25, past[0].Query.Penalty)
	_, err := db.NearestAllowed(ctx, testModel.Fingerprint, []AllowQuery{past[0].Query})
	require.NoError(t, err)
}

// An allowed picture may be nearer to one view of an upload, and leaves the flag to the others.
func TestLookbackReturnsEveryViewThatIsNear(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(3, 3))
	v, hash := random(r), randomHash(r)
	view := func(v []float32, bits int) RecentView {
		return RecentView{Query: Query{Vector: v}, PDQ: PDQ{Hash: flipped(hash, bits), Quality: 80}}
	}
	require.NoError(t, db.PrepareRecent(t.Context(), 1))
	require.NoError(t, db.KeepRecent(t.Context(), testModel.Fingerprint, []RecentUpload{
		recent(1, view(v, 3), view(random(r), 200), view(near(r, v, 0.2), 9)),
	}))
	f := newFlag("default", "a", v)
	f.Embeddings = append(f.Embeddings, Embedding{View: "flip-horizontal", Vector: near(r, v, 0.3)})
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 100}}
	var bits []int
	var similar []float64
	for _, p := range lookBack(t, db, mustFlag(t, db, f).ID) {
		if p.Hash != nil {
			bits = append(bits, p.Hash.Distance)
		} else {
			similar = append(similar, innerProduct(v, p.Query.Vector))
			require.Equal(t, "original", p.Near.View)
		}
	}
	require.Equal(t, []int{3, 9}, bits)
	require.Len(t, similar, 2)
	require.InDelta(t, 1, similar[0], Tolerance)
}

// What Go takes for JSON is kept as it is.
func TestWhateverAnUploadSaysIsKept(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.PrepareRecent(t.Context(), 1))
	u := recent(1)
	u.Upload = json.RawMessage(`{"attributes":{"a":"\u0000\ud800","b":1e400000}}`)
	require.NoError(t, db.KeepRecent(t.Context(), testModel.Fingerprint, []RecentUpload{u}))
	past := lookBack(t, db, mustFlag(t, db, newFlag("default", "upload 1", random(rand.New(rand.NewPCG(4, 4))))).ID)
	require.Len(t, past, 1)
	require.Equal(t, u.Upload, past[0].Upload)
}

func TestRecentDaysComeAndGo(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	require.Error(t, db.KeepRecent(ctx, testModel.Fingerprint, []RecentUpload{recent(1)}), "no room was made")
	var replicas errgroup.Group
	for range 4 {
		replicas.Go(func() error { return db.PrepareRecent(ctx, 2) })
	}
	require.NoError(t, replicas.Wait())
	days := func() (n int) {
		require.NoError(t, db.pool.QueryRow(ctx, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'recent_view'::regclass").Scan(&n))
		return n
	}
	require.Equal(t, 2, days(), "today and tomorrow")
	for ago := 1; ago <= 4; ago++ {
		require.NoError(t, exec(t, url, fmt.Sprintf(`DO $$ DECLARE d date := (now() AT TIME ZONE 'UTC')::date - %d; p text; BEGIN
			FOREACH p IN ARRAY ARRAY['recent_upload', 'recent_view'] LOOP
				EXECUTE format('CREATE TABLE %%I PARTITION OF %%I FOR VALUES FROM (%%L) TO (%%L)', p || '_' || to_char(d, 'YYYYMMDD'), p, d, d + 1);
			END LOOP; END $$`, ago)))
	}
	require.Equal(t, 6, days())
	require.NoError(t, db.PrepareRecent(ctx, 2))
	require.Equal(t, 4, days())
	found, err := db.RecentDays(ctx)
	require.NoError(t, err)
	require.Len(t, found, 4)
	require.Equal(t, 72*time.Hour, found[3].Sub(found[0]))
	require.ErrorContains(t, db.PrepareRecent(ctx, 0), "wanted 1 or more")
	require.Equal(t, 4, days())

	curator := as(t, db, url, "moderator_curator")
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, curator, "SELECT keep_recent(0)")))
	reader := as(t, db, url, "moderator_reader")
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, reader, "SELECT upload FROM recent_upload")))
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, reader, "DELETE FROM recent_upload")))
}
