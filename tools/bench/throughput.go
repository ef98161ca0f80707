package main

import (
	"context"
	"slices"
	"time"
)

// throughput measures the ceilings, moderator and the rival in Node, for each model and size.
func (b *bench) throughput(ctx context.Context) error {
	rival, err := b.prepareNode(ctx)
	if err != nil {
		return err
	}
	for _, m := range b.models {
		if !slices.Contains(b.Models, m.name) {
			continue
		}
		ceilings, before, err := b.ceilings(m)
		if err != nil {
			return err
		}
		theirs, err := b.moderate(ctx, m, rival, ceilings, before)
		if err != nil {
			return err
		}
		// The machine's speed may have changed: the ceiling of embedding is the mean of before and after.
		after, err := embeddingCeiling(m, b.ceilingTime())
		if err != nil {
			return err
		}
		b.endToEnd(m, ceilings, mean(before, after))
		b.againstNode(m, ceilings, theirs)
	}
	return nil
}

func (b *bench) ceilingTime() time.Duration { return b.Time / 2 }

// ceiling is the decoding speeds of one size of picture: to the model's pixels, and also to PDQ's input.
type ceiling struct {
	pictures         pictures
	decode, withHash figure
	estimate         float64 // moderator's approximate pictures a second
}

// ceilings measures decoding at each size, and ONNX Runtime alone.
func (b *bench) ceilings(m model) (all []ceiling, embed figure, err error) {
	if embed, err = embeddingCeiling(m, b.ceilingTime()); err != nil {
		return nil, embed, err
	}
	b.report.add("ceiling", field{"", "embed"}, field{"model", m.name}, field{"images_per_s", embed.perSecond},
		field{"images_per_cpu_s", embed.perCPU})
	for _, p := range b.pictures {
		if !slices.Contains(b.Pictures, p.name) {
			continue
		}
		c := ceiling{pictures: p}
		if c.decode, err = decodingCeiling(p.files, m.pixels(), b.ceilingTime()/2); err != nil {
			return nil, embed, err
		}
		if c.withHash, err = decodingCeiling(p.files, m.signals(), b.ceilingTime()/2); err != nil {
			return nil, embed, err
		}
		side, _ := m.target.Size()
		b.report.add("ceiling", field{"", "decode"}, field{"size", p.name}, field{"bytes", len(p.files[0])}, field{"to", side},
			field{"images_per_s", c.decode.perSecond}, field{"images_per_cpu_s", c.decode.perCPU},
			field{"with_pdq_images_per_cpu_s", c.withHash.perCPU})
		c.estimate = harmonic(c.withHash, embed).perSecond
		all = append(all, c)
	}
	return all, embed, nil
}

// rounds is how often each side is measured. Measurements are interleaved (ours, theirs, theirs, ours, …), so that the machine's
// drift meets both. A figure is the median of the rounds, and a ratio the median of the rounds' ratios.
const rounds = 8

// number is how many uploads take about as long as a round.
func (b *bench) number(c ceiling) int { return max(fewest, int(c.estimate*b.Time.Seconds()/rounds)) }

// libraryFlags is how many flags the library holds while throughput is measured.
const libraryFlags = 10_000

// versus is a rival's speed, and our ratio to it.
type versus struct{ theirs, ratio figure }

// moderate measures real processes from NATS to decision, interleaved with the rival's, if any.
func (b *bench) moderate(ctx context.Context, m model, rival *node, ceilings []ceiling, embed figure) ([]versus, error) {
	if err := b.servers.fill(ctx, m.fingerprint, m.dims, libraryFlags); err != nil {
		return nil, err
	}
	p, err := b.startModerator(ctx, m)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	sides := []flow{p.flow()}
	if m.rival && rival != nil {
		cmd, err := rival.start(b.servers, m)
		if err != nil {
			return nil, err
		}
		defer func() { _ = end(cmd) }()
		sides = append(sides, rivalFlow(cmd.Process.Pid))
	}
	var theirs []versus
	for _, c := range ceilings {
		turns, err := b.interleaved(ctx, sides, c)
		if err != nil {
			return nil, err
		}
		ours := figures(turns[0])
		b.figures[cell{m.name, c.pictures.name}] = medians(ours)
		b.cost(m, c.pictures.name, harmonic(c.decode, embed), "without", turns[0])
		for _, other := range turns[1:] {
			theirs = append(theirs, versus{medians(figures(other)), ratio(ours, figures(other))})
		}
	}
	if m.name != shipped {
		return theirs, nil
	}
	return theirs, b.verification(ctx, p, m, ceilings, embed)
}

// interleaved measures all rounds of each side at one size of picture.
func (b *bench) interleaved(ctx context.Context, sides []flow, c ceiling) ([][]measured, error) {
	turns := make([][]measured, len(sides))
	for _, side := range sides {
		if _, err := b.servers.measure(ctx, side, c.pictures.files, warmUp); err != nil {
			return nil, err
		}
	}
	for round := range rounds {
		for k := range sides {
			at := k
			if round%2 == 1 {
				at = len(sides) - 1 - k
			}
			f, err := b.servers.measure(ctx, sides[at], c.pictures.files, b.number(c))
			if err != nil {
				return nil, err
			}
			turns[at] = append(turns[at], f)
		}
	}
	return turns, nil
}

// verification measures moderator again with keypoints of all flags, so that every upload takes geometric verification.
func (b *bench) verification(ctx context.Context, p *moderator, m model, ceilings []ceiling, embed figure) error {
	if err := b.servers.fillPoints(ctx); err != nil {
		return err
	}
	for _, c := range ceilings {
		turns, err := b.interleaved(ctx, []flow{p.flow()}, c)
		if err != nil {
			return err
		}
		f := medians(figures(turns[0]))
		b.cost(m, c.pictures.name, harmonic(c.decode, embed), "with", turns[0])
		b.report.add("closer_look", field{"model", m.name}, field{"size", c.pictures.name}, field{"images_per_s", f.perSecond},
			field{"images_per_cpu_s", f.perCPU}, field{"over_without", f.perCPU / b.figures[cell{m.name, c.pictures.name}].perCPU},
			field{"by_the_clock", f.perSecond / harmonic(c.decode, embed).perSecond})
		if m.name == shipped && c.pictures.name == "0.17mp" {
			b.report.atLeast("closer_look images_per_cpu_s "+m.name+" 0.17mp", f.perCPU, 250)
		}
	}
	return b.servers.exec(ctx, "TRUNCATE flagged_keypoints")
}

// cost reports the CPU time that an upload takes of each program, in milliseconds: medians of the rounds. over_ceiling is the share that
// the ceiling takes: by_the_clock on a machine that does nothing else.
func (b *bench) cost(m model, size string, ceiling figure, keypoints string, turns []measured) {
	each := func(of func(measured) float64) float64 {
		all := make([]float64, len(turns))
		for i, t := range turns {
			all[i] = of(t)
		}
		return median(all)
	}
	own, workers := each(func(t measured) float64 { return t.own }), each(func(t measured) float64 { return t.workers })
	postgres, nats := each(func(t measured) float64 { return t.postgres }), each(func(t measured) float64 { return t.nats })
	all := own + workers + postgres + nats
	b.report.add("upload_cpu_ms", field{"", all}, field{"over_ceiling", 1000 / ceiling.perCPU / all}, field{"model", m.name}, field{"size", size},
		field{"keypoints", keypoints}, field{"moderator", own}, field{"workers", workers}, field{"postgres", postgres}, field{"nats", nats})
}

// endToEnd reports moderator's figures, and their ratio to the ceiling of decoding and embedding one after the other. The ratio
// is of CPU times: by the clock, Postgres and NATS use the same cores.
func (b *bench) endToEnd(m model, ceilings []ceiling, embed figure) {
	for _, c := range ceilings {
		f := b.figures[cell{m.name, c.pictures.name}]
		b.report.add("end_to_end", field{"model", m.name}, field{"size", c.pictures.name},
			field{"images_per_s", f.perSecond}, field{"images_per_cpu_s", f.perCPU})
		best, withHash := harmonic(c.decode, embed), harmonic(c.withHash, embed)
		over := f.perCPU / best.perCPU
		b.report.add("end_to_end_over_ceiling", field{"", over}, field{"model", m.name}, field{"size", c.pictures.name},
			field{"ceiling_images_per_cpu_s", best.perCPU}, field{"with_pdq", f.perCPU / withHash.perCPU},
			field{"by_the_clock", f.perSecond / best.perSecond})
		if m.name == vitFull && c.pictures.name == "1mp" {
			b.report.atLeast("end_to_end_over_ceiling "+m.name+" 1mp", over, 0.95)
		}
		if m.name == shipped && c.pictures.name == "0.17mp" {
			b.report.atLeast("end_to_end by_the_clock "+m.name+" 0.17mp", f.perSecond/best.perSecond, 0.6)
		}
	}
}
