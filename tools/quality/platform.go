package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/recognise"
	"moderator/internal/transforms"
)

// upload is what a platform gets: a copy of an original, or an innocent picture. A copy of one flag is an innocent upload to all
// the others.
type upload struct {
	*features
	kind     string          // "photograph", "page", …
	edit     transforms.Edit // of a copy
	original int             // the flag that it is a copy of; -1: none
	other    int             // a flag that is laid beside it; -1: none
}

// platform is a library of many flags, and what is uploaded to it.
type platform struct {
	library *library
	uploads []upload
	judge   judge
	found   [][]candidate // by upload
	results [][]outcome   // by upload and size
	parts   sync.Map      // by pair of pictures: whether one is the other changed in part
	cost    time.Duration
}

// outcome is what one upload got from a library of one size.
type outcome struct {
	own   recognise.Judged // from the flag that it is a copy of
	of    *candidate       // that flag; nil: no retriever brought it
	wrong recognise.Judged // the gravest from any other flag
	by    candidate        // that flag

	changed recognise.Judged // the gravest from flags that are the upload changed in part
}

// flagSizes are the library sizes that are measured: the originals alone, and fourfold steps down from n.
func flagSizes(originals, n int) []int {
	sizes := []int{n}
	for size := n / 4; size > 2*originals; size /= 4 {
		sizes = append([]int{size}, sizes...)
	}
	return append([]int{originals}, sizes...)
}

// measurePlatform flags the originals and the distractors, uploads copies and innocent pictures, and judges them.
func (o options) measurePlatform(ctx context.Context, x *extractor, set *collection, judge judge, stdout io.Writer) (*platform, error) {
	store, err := openCache(ctx, filepath.Join(o.Out, "features"), x)
	if err != nil {
		return nil, err
	}
	lots, err := o.distractors(o.Flags - len(set.originals))
	if err != nil {
		return nil, err
	}
	var own []source
	for _, p := range set.originals {
		own = append(own, source{p.key(), func() ([]byte, error) { return p.file, nil }})
	}
	flags, err := store.features(ctx, "originals", own, true, progress(stdout, "originals"))
	if err != nil {
		return nil, err
	}
	for i := range flags {
		flags[i].name = set.originals[i].name
	}
	p := &platform{judge: judge}
	var others []features
	done := progress(stdout, "kinds")
	for i, l := range lots {
		name := fmt.Sprintf("%02d-%s", i, l.kind)
		flagged, err := store.features(ctx, name+"-flags", l.flagged, true, quiet)
		if err != nil {
			return nil, err
		}
		innocents, err := store.features(ctx, name+"-uploads", l.innocents, false, quiet)
		if err != nil {
			return nil, err
		}
		for k := range flagged {
			flagged[k].file = l.files
			flagged[k].name = l.flagged[k].name
		}
		others = append(others, flagged...)
		done(i+1, len(lots))
		for k := range innocents {
			innocents[k].name = l.innocents[k].name
			if innocents[k].looks == nil {
				continue
			}
			p.uploads = append(p.uploads, upload{features: &innocents[k], kind: l.kind, original: -1, other: -1})
		}
	}
	others = slices.DeleteFunc(others, func(f features) bool { return f.looks == nil })
	rand.New(rand.NewPCG(o.Seed, 2)).Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	copies, err := o.copies(ctx, store, set, stdout)
	if err != nil {
		return nil, err
	}
	p.uploads = append(p.uploads, copies...)
	flags = append(flags, others...)
	p.library = newLibrary(flags, flagSizes(len(set.originals), len(flags)), x.flagViews, o.Candidates, x.reviewAt())
	if err := p.decide(ctx, progress(stdout, "decided")); err != nil {
		return nil, err
	}
	p.cost, err = p.measureCost(ctx, x, set)
	return p, err
}

func quiet(int, int) {}

// copies are the edits of the sample, and the templates with other captions.
func (o options) copies(ctx context.Context, store *cache, set *collection, stdout io.Writer) ([]upload, error) {
	plan := set.plan(o.Originals, o.Seed, o.edits())
	sources := make([]source, len(plan))
	for i, q := range plan {
		name := fmt.Sprintf("%s of %s twin=%t seed=%d", q.edit.Name, set.originals[q.original].key(), q.twin, q.seed)
		if q.other >= 0 {
			name += " with " + set.originals[q.other].key()
		}
		sources[i] = source{name, func() ([]byte, error) { return set.upload(q) }}
	}
	made, err := store.features(ctx, "edits", sources, false, progress(stdout, "edited"))
	uploads := make([]upload, len(made))
	for i, q := range plan {
		uploads[i] = upload{features: &made[i], kind: set.originals[q.original].kind(), edit: q.edit, original: q.original, other: q.other}
		uploads[i].name = set.originals[q.original].name
		if q.twin {
			uploads[i].kind, uploads[i].original = memeTemplate, -1
		}
	}
	return uploads, err
}

// searchedAtOnce bounds the memory of the scores of a batch.
const searchedAtOnce = 8

// decide judges all uploads at all sizes.
func (p *platform) decide(ctx context.Context, done func(done, all int)) error {
	p.results, p.found = make([][]outcome, len(p.uploads)), make([][]candidate, len(p.uploads))
	batches := (len(p.uploads) + searchedAtOnce - 1) / searchedAtOnce
	return each(ctx, batches, done, func(_ context.Context, batch int) error {
		from := batch * searchedAtOnce
		return p.decideSome(from, min(len(p.uploads), from+searchedAtOnce))
	})
}

func (p *platform) decideSome(from, to int) (err error) {
	some := make([]*features, 0, to-from)
	for i := from; i < to; i++ {
		some = append(some, p.uploads[i].features)
	}
	for k, found := range p.library.search(some, leftOut) {
		p.found[from+k] = found
		if p.results[from+k], err = p.outcomes(&p.uploads[from+k], found); err != nil {
			return err
		}
	}
	return nil
}

// leftOut is how many flags an upload may show that are not counted as wrong: its own and the one beside it.
const leftOut = 2

// outcomes judges an upload by its candidates. What it shows takes no candidate's place.
func (p *platform) outcomes(u *upload, found []candidate) ([]outcome, error) {
	all := make([]outcome, len(p.library.sizes))
	for i, size := range p.library.sizes {
		o := &all[i]
		shown := 0
		for _, c := range found {
			if (c.flag == u.original || c.flag == u.other) && c.rank[i] < p.library.most {
				shown++
			}
		}
		for _, c := range p.library.among(found, i, p.library.most+shown) {
			switch {
			case c.flag == u.original:
				if c.rank[i] < p.library.most {
					o.own, o.of = p.judge(c, u.sum == p.library.flags[c.flag].sum, size), &c
				}
			case c.flag == u.other, p.same(u, c.flag):
			default:
				j := p.judge(c, false, size)
				if gravity(j) <= gravity(o.wrong) {
					continue
				}
				changed, err := p.changed(u, c.flag)
				if err != nil {
					return nil, err
				}
				if !changed {
					o.wrong, o.by = j, c
				} else if gravity(j) > gravity(o.changed) {
					o.changed = j
				}
			}
		}
	}
	return all, nil
}

func gravity(j recognise.Judged) int {
	switch j.Verdict {
	case event.Block:
		return 2
	case event.Review:
		return 1
	}
	return 0
}

// measureCost is the CPU time of an upload, from its file to its verdict in the largest library.
func (p *platform) measureCost(ctx context.Context, x *extractor, set *collection) (time.Duration, error) {
	const sample = 48
	alone := &library{}
	*alone = *p.library
	last := len(alone.sizes) - 1
	alone.sizes, alone.points = alone.sizes[last:], alone.points[last:]
	before := cpuTime()
	for i := range sample {
		f, err := x.of(ctx, [][]byte{set.originals[i%len(set.originals)].file}, x.queryViews, false)
		if err != nil {
			return 0, err
		}
		alone.search([]*features{&f[0]}, 0)
	}
	return (cpuTime() - before) / sample, nil
}

func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it fails for arguments that do not exist
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// judge is the verdict that one flag alone would give an upload, in a library of so many flags.
type judge func(c candidate, sameFile bool, flags int) recognise.Judged

// byEvidence judges as the moderator does in a bank with the model's thresholds.
func byEvidence(model *embed.Folder) judge {
	blockAt, reviewAt, _ := model.Thresholds()
	return func(c candidate, sameFile bool, flags int) recognise.Judged {
		thresholds := evidence.For(flags, evidence.DefaultFalseBlocks)
		return recognise.Comparison{
			SameFile: sameFile, PDQ: c.PDQ, Score: c.Score, Points: c.agreement, FlagPoints: c.FlagPoints, UploadPoints: c.UploadPoints,
			Thresholds: &thresholds, Model: model,
		}.Judge(blockAt, &reviewAt)
	}
}
