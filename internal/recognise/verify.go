package recognise

import (
	"context"
	"runtime"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/verdict"
)

// pair is an upload, by its number in the batch, and a flag.
type pair struct {
	upload int
	flag   uuid.UUID
}

// verified is what geometric verification says of a pair.
type verified struct {
	candidate matchdb.KeypointCandidate
	agreement keypoint.Agreement
}

// verification is geometric verification of a batch of uploads.
type verification struct {
	Matcher
	uploads []feature.Query
	vectors [][]matchdb.Query // by model, of all views, as queries gives them
	hits    [][]verdict.Hit
	nearest [][]uuid.UUID // a few flags for each upload, by the vectors

	flags int // with keypoints, in the library: the thresholds of evidence follow from it

	agreed [][]uuid.UUID // flags whose keypoints agree with each upload's in the coarse pass
	points []int         // that each upload has; -1: it is not verified
	found  map[pair]verified
}

// confirm verifies geometrically the flags that an upload may show a part of: those of its matches, and those that the index of
// keypoints names. It gives the matches their evidence, and returns a hit for each further flag whose keypoints the upload
// shows, in banks that nothing blocks for yet. A flagged file needs no verification.
func (v *verification) confirm(ctx context.Context, governed policies) ([][]verdict.Hit, error) {
	confirmed := make([][]verdict.Hit, len(v.uploads))
	if v.candidates > 0 {
		flags, err := v.db.FlagsWithKeypoints(ctx)
		if err != nil {
			return nil, err
		}
		v.flags = flags
	}
	if err := v.verify(ctx); err != nil {
		return nil, err
	}
	pairs, err := v.pairs()
	if err != nil || len(pairs) == 0 {
		return confirmed, err
	}
	found, err := v.evidence(ctx, pairs)
	if err != nil {
		return nil, err
	}
	flags := make([]uuid.UUID, len(pairs))
	for k, p := range pairs {
		flags[k] = p.flag
	}
	if err := governed.read(ctx, v.db, flags); err != nil {
		return nil, err
	}
	for k, p := range pairs {
		policy := governed[p.flag]
		thresholds := v.thresholds(policy.FalseBlocks)
		blocked := map[string]bool{} // banks
		for j := range v.hits[p.upload] {
			h := &v.hits[p.upload][j]
			if h.FlaggedID == p.flag.String() && weighed(*h) {
				h.Evidence = &found[v.model(h.Model)][k].Evidence
				if !v.ownThresholds(*h, policy) {
					h.Weighed = thresholds.Weigh(weighable(*h.Evidence, policy))
				}
			}
			blocked[h.Bank] = blocked[h.Bank] || h.Allowed == nil && h.Blocks()
		}
		of, ok := v.found[p]
		if !ok || of.agreement.Support.Agreeing == 0 { // the flag has no keypoints, or shows none of them here
			continue
		}
		model := 0
		for model+1 < len(v.models) && !found[model][k].HasVector {
			model++
		}
		hit := v.keypointHit(of, found[model][k], model)
		hit.Weighed = thresholds.Weigh(weighable(*hit.Evidence, policy))
		govern(&hit, policy)
		if hit.Reached() && !blocked[of.candidate.Bank] {
			confirmed[p.upload] = append(confirmed[p.upload], hit)
		}
	}
	return confirmed, nil
}

// weighed tells the hits that are matches and have evidence: a flagged file needs none.
func weighed(h verdict.Hit) bool { return h.Signal != event.SignalExact && h.Reached() }

// matched reports whether an upload has such a hit.
func (v *verification) matched(upload int) bool { return slices.ContainsFunc(v.hits[upload], weighed) }

// thresholds are those of evidence for a rate of false blocks; nil: that of all banks without their own.
func (v *verification) thresholds(falseBlocks *float64) evidence.Thresholds {
	if falseBlocks == nil {
		return evidence.For(v.flags, v.falseBlocks)
	}
	return evidence.For(v.flags, *falseBlocks)
}

// ownThresholds reports whether the hit is by a signal for which its bank has thresholds of its own: they decide alone, as those on
// the score do for a model that nobody calibrated.
func (m Matcher) ownThresholds(h verdict.Hit, p matchdb.Policy) bool {
	switch h.Signal {
	case event.SignalPDQ:
		return p.PDQDistance != nil
	case event.SignalEmbedding:
	default:
		return false
	}
	return !modelThresholds(m.models[m.model(h.Model)].Folder, h.BlockAt, h.ReviewAt)
}

// model is the place of a hit's model; hits of no model have the evidence of the first.
func (m Matcher) model(info *event.ModelInfo) int {
	for i := range m.models {
		if info == &m.models[i].info {
			return i
		}
	}
	return 0
}

// verify compares the keypoints of the uploads with those of their candidates.
func (v *verification) verify(ctx context.Context) error {
	v.points = slices.Repeat([]int{-1}, len(v.uploads))
	if v.candidates == 0 {
		return nil
	}
	has, err := v.db.HasKeypoints(ctx)
	if err != nil {
		return err
	}
	var asked []int // uploads
	for i, u := range v.uploads {
		if (has || v.matched(i)) && !feature.Flat(u.Views) && !exact(v.hits[i]) { // one without views is flat
			asked = append(asked, i)
		}
	}
	if asked, err = v.promising(ctx, asked); err != nil {
		return err
	}
	qs, candidates, err := v.near(ctx, asked, v.candidates, func(i int) ([]uuid.UUID, error) {
		flags, err := flagsOf(v.hits[i], weighed)
		return append(flags, v.agreed[i]...), err
	}, func(u feature.Query) (keypoint.Upload, error) {
		points, err := Points(grey(u), u.Width, u.Height, false)
		return keypoint.Prepare(points), err
	})
	if err != nil {
		return err
	}
	agreements := make([][]keypoint.Agreement, len(asked))
	err = each(ctx, len(asked), func(k int) error {
		u := v.uploads[asked[k]]
		g := guide{grey: grey(u), width: u.Width, height: u.Height}
		defer g.close()
		agreements[k] = make([]keypoint.Agreement, len(candidates[k]))
		for j, c := range candidates[k] {
			agreements[k][j] = keypoint.Verify(c.Points, qs[k].Upload, variants(c)...)
			if err := g.look(c.Points, &agreements[k][j], slices.Contains(qs[k].Flags, c.FlaggedID)); err != nil {
				return err
			}
		}
		contrast(candidates[k], agreements[k])
		return nil
	})
	if err != nil { // some have no agreements
		return err
	}
	for k, i := range asked {
		v.points[i] = len(qs[k].Upload[keypoint.Plain].Points)
		for j, c := range candidates[k] {
			v.found[pair{i, c.FlaggedID}] = verified{c, agreements[k][j]}
		}
	}
	return nil
}

// contrast has the agreements of an upload say how much of them others have as well.
func contrast(candidates []matchdb.KeypointCandidate, agreements []keypoint.Agreement) {
	found, flags := make([]*keypoint.Agreement, len(candidates)), make([]keypoint.Features, len(candidates))
	for j := range candidates {
		found[j], flags[j] = &agreements[j], candidates[j].Points
	}
	keypoint.Contrast(found, flags)
}

func grey(u feature.Query) *imaging.Gray {
	return &imaging.Gray{Width: u.Grey.Width, Height: u.Grey.Height, Pix: u.Grey.Luma}
}

func exact(hits []verdict.Hit) bool {
	for _, h := range hits {
		if h.Signal == event.SignalExact {
			return true
		}
	}
	return false
}

// each runs do for 0 to n-1 on all cores, and returns its first error.
func each(ctx context.Context, n int, do func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	return group.Wait()
}
