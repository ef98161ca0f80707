package recognise

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/verdict"
)

// policed is a library with the flag of one picture in the bank spam, and the moderator's matcher.
type policed struct {
	t       *testing.T
	db      *matchdb.DB
	folder  *embed.Folder
	matcher Matcher
	flag    string
	url     string
}

var flaggedHash = pdq.Hash{0x5a, 0xc3, 0x77, 0x10}

func newPoliced(t *testing.T, points keypoint.Features) *policed {
	db, folder, url := library(t)
	require.NoError(t, db.AddBank(t.Context(), "spam", "mo", ""))
	p := &policed{t: t, url: url, db: db, folder: folder, matcher: NewMatcher(db, []*embed.Folder{folder}, 8, evidence.DefaultFalseBlocks)}
	flag, err := db.Flag(t.Context(), matchdb.NewFlag{
		Bank: "spam", SHA256: sum256("flagged"), Source: "flagged", By: "mo", Model: folder.Fingerprint(), Keypoints: points,
		Embeddings: []matchdb.Embedding{{View: "original", Vector: p.vector(0)}},
		PDQ:        []matchdb.PDQ{{View: "original", Hash: flaggedHash, Quality: 100}},
	})
	require.NoError(t, err)
	p.flag = flag.ID.String()
	return p
}

func sum256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// vector is at right angles to all others.
func (p *policed) vector(axis int) []float32 {
	v := make([]float32, p.folder.Dims())
	v[axis] = 1
	return v
}

// upload is one whose hash differs from the flag's in so many bits, and which has nothing else of it.
func (p *policed) upload(name string, bits int, grey *imaging.Gray) feature.Query {
	hash := flaggedHash
	for i := range bits {
		hash[i/8] ^= 1 << (i % 8)
	}
	return feature.Query{
		SHA256: sum256(name), Width: grey.Width, Height: grey.Height, Grey: feature.Plane{Width: grey.Width, Height: grey.Height, Luma: grey.Pix},
		Views: []feature.View{{Vectors: [][]float32{p.vector(1)}, PDQ: hash, Turns: []pdq.Hash{hash}, Quality: 100}},
	}
}

func (p *policed) set(change func(*matchdb.BankPolicy)) {
	p.t.Helper()
	reset := func(to *matchdb.BankPolicy) { *to = matchdb.BankPolicy{}; change(to) }
	require.NoError(p.t, p.db.ConfigureBank(p.t.Context(), "spam", matchdb.BankChange{Policy: reset}, "mo", ""))
}

func (p *policed) judge(u feature.Query) event.Decision {
	p.t.Helper()
	hits, err := p.matcher.Match(p.t.Context(), []feature.Query{u})
	require.NoError(p.t, err)
	var d event.Decision
	verdict.Judge(&d, u.Views, hits[0])
	return d
}

// plain has nothing to find keypoints at.
func plain() *imaging.Gray { return &imaging.Gray{Width: 64, Height: 64, Pix: make([]byte, 64*64)} }

// drawn is a picture with many keypoints.
func drawn() *imaging.Gray {
	rgb := synth.Draw(1, 5, 512, 512)
	g := &imaging.Gray{Width: 512, Height: 512}
	for y := range 512 {
		for x := range 512 {
			r, green, b, _ := rgb.At(x, y).RGBA()
			g.Pix = append(g.Pix, byte((r+green+b)/3>>8))
		}
	}
	return g
}

func TestABankDecidesByPDQItself(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	for _, test := range []struct {
		distance int
		verdict  string
		bits     int
		want     event.Verdict
	}{
		{-1, "", 31, event.Block}, // by the evidence
		{-1, "", 32, event.Allow},
		{10, "block", 10, event.Block},
		{10, "block", 11, event.Allow},
		{10, "review", 10, event.Review},
		{10, "review", 11, event.Allow},
		{0, "block", 0, event.Block},
		{0, "block", 1, event.Allow},
		{31, "review", 31, event.Review},
	} {
		p.set(func(b *matchdb.BankPolicy) {
			if test.distance >= 0 {
				b.PDQDistance, b.PDQVerdict = &test.distance, test.verdict
			}
		})
		d := p.judge(p.upload("another", test.bits, plain()))
		require.Equal(t, test.want, d.Verdict, "%+v", test)
		if d.Verdict != event.Allow {
			require.Equal(t, []any{event.SignalPDQ, p.flag}, []any{d.Signal, d.Match.FlaggedID})
			require.Equal(t, test.distance < 0, d.Match.Probability != nil, "a bank's own verdict has no probability")
			reached := d.Score
			if d.Match.Probability != nil {
				reached = d.Match.Probability
			}
			require.LessOrEqual(t, *d.Threshold, *reached)
		}
	}
}

// Keypoints that agree block in a bank that only reviews by PDQ.
func TestOtherSignalsAreWeighedWithoutPDQ(t *testing.T) {
	picture := drawn()
	points, err := Points(picture, 512, 512, true)
	require.NoError(t, err)
	p := newPoliced(t, points)
	none := 0
	p.set(func(b *matchdb.BankPolicy) { b.PDQDistance, b.PDQVerdict = &none, "review" })
	for _, bits := range []int{0, 20, 200} {
		d := p.judge(p.upload("another", bits, picture))
		require.Equal(t, []any{event.Block, event.SignalKeypoints}, []any{d.Verdict, d.Signal}, "%d bits", bits)
	}
	d := p.judge(p.upload("another", 0, plain()))
	require.Equal(t, []any{event.Review, event.SignalPDQ}, []any{d.Verdict, d.Signal})
}

func TestABanksRateOfFalseBlocks(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	u := p.upload("another", 20, plain())
	require.Equal(t, event.Block, p.judge(u).Verdict)
	rate := 1e-9
	p.set(func(b *matchdb.BankPolicy) { b.FalseBlocks = &rate })
	d := p.judge(u)
	require.Equal(t, event.Review, d.Verdict)
	require.GreaterOrEqual(t, *d.Match.Probability, *d.Threshold)
}

// A looser rate also reaches candidates that the others' rate passes over.
func TestALooserRateFindsMore(t *testing.T) {
	picture := drawn()
	points, err := Points(picture, 512, 512, true)
	require.NoError(t, err)
	p := newPoliced(t, points)
	noisy := &imaging.Gray{Width: 512, Height: 512, Pix: make([]byte, len(picture.Pix))}
	r := rand.New(rand.NewPCG(1, 1))
	var found []event.Verdict
	for _, hidden := range []int{0, 320, 384, 416, 432, 448, 464, 480} { // rows of it are another picture
		for i := range noisy.Pix {
			noisy.Pix[i] = picture.Pix[i]
			if i/512 < hidden {
				noisy.Pix[i] = byte(r.IntN(256))
			}
		}
		u := p.upload(fmt.Sprint(hidden), 200, noisy)
		rate := 1.0
		p.set(func(*matchdb.BankPolicy) {})
		strict := p.judge(u).Verdict
		p.set(func(b *matchdb.BankPolicy) { b.FalseBlocks = &rate })
		loose := p.judge(u).Verdict
		require.GreaterOrEqual(t, gravityOf(loose), gravityOf(strict))
		if strict == event.Allow {
			found = append(found, loose)
		}
	}
	require.Contains(t, found, event.Block, "of what the default rate allows")
}

func gravityOf(v event.Verdict) int {
	return map[event.Verdict]int{event.Allow: 0, event.Review: 1, event.Block: 2}[v]
}

func TestABankInShadowReportsAndDecidesNothing(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	p.set(func(b *matchdb.BankPolicy) { b.Shadow = true })
	d := p.judge(p.upload("another", 20, plain()))
	require.Equal(t, []any{event.Allow, event.NoMatch, 0}, []any{d.Verdict, d.Reason, len(d.Matches)})
	require.Len(t, d.Shadow, 1)
	require.Equal(t, []any{event.Block, event.SignalPDQ, p.flag, "spam"},
		[]any{d.Shadow[0].Verdict, d.Shadow[0].Signal, d.Shadow[0].FlaggedID, d.Shadow[0].Bank})

	d = p.judge(p.upload("flagged", 200, plain())) // the very file
	require.Equal(t, []any{event.Allow, event.SignalExact}, []any{d.Verdict, d.Shadow[0].Signal})

	_, err := p.db.Flag(t.Context(), matchdb.NewFlag{
		Bank: "default", SHA256: sum256("flagged"), Source: "flagged", By: "mo", Model: p.folder.Fingerprint(),
	})
	require.NoError(t, err)
	d = p.judge(p.upload("flagged", 20, plain()))
	require.Equal(t, []any{event.Block, "default", 1, 1}, []any{d.Verdict, d.Match.Bank, len(d.Matches), len(d.Shadow)})
}

func TestABankThatOnlyAsksForReview(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	p.set(func(b *matchdb.BankPolicy) { b.ReviewOnly = true })
	for name, bits := range map[string]int{"another": 20, "flagged": 200} { // by PDQ, and the very file
		d := p.judge(p.upload(name, bits, plain()))
		require.Equal(t, []any{event.Review, event.Match, p.flag, false}, []any{d.Verdict, d.Reason, d.Match.FlaggedID, d.Match.Quarantined}, name)
	}
	p.set(func(b *matchdb.BankPolicy) { b.ReviewOnly, b.Shadow = true, true })
	require.Equal(t, event.Review, p.judge(p.upload("flagged", 200, plain())).Shadow[0].Verdict)
}

// Banks' policies hold in look-backs and replays, too.
func TestPoliciesHoldForEarlierUploads(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	ctx := t.Context()
	nc, err := nats.Connect(testenv.NATS(t))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: event.DecisionsStream, Subjects: []string{"decisions.>"}})
	require.NoError(t, err)
	require.NoError(t, p.db.PrepareRecent(ctx, 1))
	stored := time.Now()
	info, err := json.Marshal(event.UploadInfo{ID: "past", Stream: "UPLOADS", Sequence: 1, Stored: stored})
	require.NoError(t, err)
	u := p.upload("past", 20, plain())
	require.NoError(t, p.db.KeepRecent(ctx, p.folder.Fingerprint(), []matchdb.RecentUpload{{
		Stream: "UPLOADS", Sequence: 1, Stored: stored.UnixNano(), SHA256: u.SHA256, Upload: info,
		Views: []matchdb.RecentView{{Query: matchdb.Query{Vector: u.Views[0].Vectors[0]}, PDQ: matchdb.PDQ{Hash: u.Views[0].PDQ, Quality: 100}}},
	}}))
	lookBack := func() []event.Decision {
		published, _, err := Lookback(ctx, p.db, p.folder, js, []uuid.UUID{uuid.MustParse(p.flag)})
		require.NoError(t, err)
		return published
	}
	replay := func(w matchdb.WhatIf) string {
		var seen []string
		require.NoError(t, Replay(ctx, p.db, p.folder, stored.Add(-time.Hour), w, func(r Replayed) {
			seen = append(seen, fmt.Sprintf("%s %s", r.Now.Verdict, r.Then.Verdict))
		}))
		require.Len(t, seen, 1)
		return seen[0]
	}
	near, far := 10, 25
	spam := []string{"spam"}
	p.set(func(b *matchdb.BankPolicy) { b.Shadow = true })
	require.Empty(t, lookBack())
	require.Equal(t, "allow allow", replay(matchdb.WhatIf{PDQDistance: &far, PDQVerdict: "block"}), "a bank in shadow that is not named stays there")
	require.Equal(t, "allow block", replay(matchdb.WhatIf{Banks: spam}))
	require.Equal(t, "allow review", replay(matchdb.WhatIf{Banks: spam, PDQDistance: &far, PDQVerdict: "review"}))
	require.Equal(t, "allow allow", replay(matchdb.WhatIf{Banks: spam, PDQDistance: &near, PDQVerdict: "block"}))
	p.set(func(b *matchdb.BankPolicy) { b.PDQDistance, b.PDQVerdict = &near, "block" })
	require.Empty(t, lookBack())
	require.Equal(t, "allow review", replay(matchdb.WhatIf{PDQDistance: &far, PDQVerdict: "review"}))
	p.set(func(b *matchdb.BankPolicy) { b.PDQDistance, b.PDQVerdict = &far, "review" })
	require.Equal(t, "review block", replay(matchdb.WhatIf{PDQDistance: &far, PDQVerdict: "block"}))
	published := lookBack()
	require.Len(t, published, 1)
	require.Equal(t, event.Review, published[0].Verdict)
	require.ErrorIs(t, matchdb.WhatIf{PDQDistance: &near, PDQVerdict: "allow"}.Check(ctx, p.db), matchdb.ErrInvalid)
}

func TestSearchKnowsThePolicies(t *testing.T) {
	bits := 10
	n := NearFlag{Found: matchdb.Found{Hit: matchdb.Hit{BlockAt: 0.5}, BankEnabled: true}, PDQ: 10}
	require.Equal(t, Judged{event.Block, event.SignalPDQ}, n.Judge())
	n.policy.PDQDistance, n.policy.PDQVerdict = &bits, "review"
	require.Equal(t, Judged{event.Review, event.SignalPDQ}, n.Judge())
	n.PDQ = 11
	require.Equal(t, event.Allow, n.Judge().Verdict)
	n.Score = 0.6
	require.Equal(t, Judged{event.Block, event.SignalEmbedding}, n.Judge())
	n.policy = matchdb.Policy{Quarantined: true}
	require.Equal(t, Judged{event.Review, event.SignalPDQ}, n.Judge())
	n.policy.Shadow = true
	require.Equal(t, event.Allow, n.Judge().Verdict)
}
