package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"text/tabwriter"

	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/recognise"
	"moderator/internal/transforms"
)

// recallAt is the share of copies that are blocked, by group and "all".
type recallAt struct {
	flags        int
	extrapolated bool
	blocked      map[string]float64
	candidates   map[string]float64 // share of copies whose flag some retriever brings
}

// byGroup is the share of the copies that something holds for, by group and "all".
func (p *platform) byGroup(holds func(upload int) bool) map[string]float64 {
	sum, of := map[string]float64{}, map[string]float64{}
	for i, u := range p.uploads {
		if u.original < 0 {
			continue
		}
		for _, name := range []string{string(u.edit.Group), "all"} {
			of[name]++
			if holds(i) {
				sum[name]++
			}
		}
	}
	for name, n := range of {
		sum[name] /= n
	}
	return sum
}

// measured is the recall at each size.
func (p *platform) measured() (all []recallAt) {
	for k, size := range p.library.sizes {
		all = append(all, recallAt{
			flags:      size,
			blocked:    p.byGroup(func(i int) bool { return p.results[i][k].own.Verdict == event.Block }),
			candidates: p.byGroup(func(i int) bool { return p.results[i][k].of != nil }),
		})
	}
	return all
}

// extrapolated is the recall that is expected of a larger library. What verification says of a copy stays as it is and is judged
// as there; the candidates that retrievers lose are as many for each tenfold as from the second size measured to the last.
func (p *platform) extrapolated(measured []recallAt, flags int) recallAt {
	last := len(measured) - 1
	from, to := measured[min(1, last)], measured[last]
	r := recallAt{flags: flags, extrapolated: true, blocked: map[string]float64{}, candidates: map[string]float64{}}
	kept := p.byGroup(func(i int) bool {
		o := p.results[i][last]
		return o.of != nil && p.judge(*o.of, p.uploads[i].sum == p.library.flags[o.of.flag].sum, flags).Verdict == event.Block
	})
	for name, found := range to.candidates {
		perTenfold := 0.0
		if to.flags > from.flags {
			perTenfold = (from.candidates[name] - found) / math.Log10(float64(to.flags)/float64(from.flags))
		}
		r.candidates[name] = max(0, found-perTenfold*math.Log10(float64(flags)/float64(to.flags)))
		if found > 0 {
			r.blocked[name] = kept[name] * r.candidates[name] / found
		}
	}
	return r
}

// innocent is what happened to the innocent uploads of one kind.
type innocent struct {
	kind                    string
	uploads, blocks, review int
}

func per10k(n, of int) float64 { return 1e4 * float64(n) / float64(max(of, 1)) }

// inPart is the row of the uploads that show a flag with a part changed.
const inPart = "a flag changed in part"

// innocents are the kinds at one size, and all of them together but for templates with other captions and flags changed in part: whether
// one is to be blocked is a bank's to say.
func (p *platform) innocents(size int) (kinds []innocent, all innocent) {
	changed := innocent{kind: inPart}
	byKind := map[string]*innocent{}
	for i, u := range p.uploads {
		k := byKind[u.kind]
		if k == nil {
			k = &innocent{kind: u.kind}
			byKind[u.kind] = k
		}
		o := &p.results[i][size]
		if gravity(o.changed) > gravity(o.wrong) {
			changed.count(o.changed)
		} else {
			k.count(o.wrong)
		}
	}
	all.kind = "all others"
	for _, name := range sortedKeys(byKind) {
		k := *byKind[name]
		kinds = append(kinds, k)
		if name != memeTemplate {
			all.uploads, all.blocks, all.review = all.uploads+k.uploads, all.blocks+k.blocks, all.review+k.review
		}
	}
	return append(kinds, changed), all
}

func (k *innocent) count(j recognise.Judged) {
	k.uploads++
	switch j.Verdict {
	case event.Block:
		k.blocks++
	case event.Review:
		k.review++
	}
}

// print writes the tables for people, and the last line.
func (p *platform) print(stdout io.Writer) {
	last := len(p.library.sizes) - 1
	measured := p.measured()
	rows := measured
	for _, flags := range []int{100_000, 1_000_000} {
		if flags > p.library.sizes[last] {
			rows = append(rows, p.extrapolated(measured, flags))
		}
	}
	fmt.Fprintf(stdout, "\ncopies blocked, of %d uploads that are copies of %d flags\n\n", p.count(func(u upload) bool { return u.original >= 0 }), p.library.sizes[0])
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "flags\teasy\tmedium\thard\tall\tcandidates\t\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%d\t", r.flags)
		for _, name := range append(transforms.Groups(), "all") {
			fmt.Fprintf(w, "%.3f\t", r.blocked[string(name)])
		}
		fmt.Fprintf(w, "%.3f\t%s\t\n", r.candidates["all"], map[bool]string{true: "extrapolated"}[r.extrapolated])
	}
	w.Flush()
	fmt.Fprintln(stdout, `
extrapolated: what verification says of each copy stays as measured and is judged by the thresholds of the larger library; of the
copies whose flag is a candidate, as many are lost for each tenfold as from the second size to the last one measured.`)

	kinds, all := p.innocents(last)
	fmt.Fprintf(stdout, "\ninnocent uploads among %d flags\n\n", p.library.sizes[last])
	fmt.Fprintln(w, "kind\tuploads\tblocked\treview\tblocked per 10,000\treview per 10,000\t")
	for _, k := range append(kinds, all) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t\n", k.kind, k.uploads, k.blocks, k.review, per10k(k.blocks, k.uploads), per10k(k.review, k.uploads))
	}
	w.Flush()
	p.printSignals(stdout)
	fmt.Fprintf(stdout, "\nquality: flags=%d", p.library.sizes[last])
	for _, name := range append(transforms.Groups(), "all") {
		fmt.Fprintf(stdout, " %s=%.3f", name, measured[last].blocked[string(name)])
	}
	fmt.Fprintf(stdout, " false_blocks_per_10k=%.1f false_reviews_per_10k=%.1f upload_ms=%.1f\n",
		per10k(all.blocks, all.uploads), per10k(all.review, all.uploads), float64(p.cost.Microseconds())/1000)
}

func (p *platform) count(holds func(upload) bool) (n int) {
	for _, u := range p.uploads {
		if holds(u) {
			n++
		}
	}
	return n
}

// printSignals writes which signal names the blocks.
func (p *platform) printSignals(stdout io.Writer) {
	last := len(p.library.sizes) - 1
	right, wrong := map[event.Signal]int{}, map[event.Signal]int{}
	for i := range p.uploads {
		o := p.results[i][last]
		if o.own.Verdict == event.Block {
			right[o.own.Signal]++
		}
		if o.wrong.Verdict == event.Block && p.uploads[i].kind != memeTemplate {
			wrong[o.wrong.Signal]++
		}
	}
	fmt.Fprintf(stdout, "\nblocks by signal (copies / innocent uploads):")
	for _, s := range []event.Signal{event.SignalExact, event.SignalPDQ, event.SignalKeypoints, event.SignalEmbedding} {
		fmt.Fprintf(stdout, "  %s %d / %d", s, right[s], wrong[s])
	}
	fmt.Fprintln(stdout)
}

// writePairs writes the features of every candidate, and whether the upload is its copy: what tools/train/evidence.py fits.
func (p *platform) writePairs(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := csv.NewWriter(file)
	last := len(p.library.sizes) - 1
	row := []string{"upload", "kind", "edit", "group", "flag", "copy", "rank", "flag_points", "upload_file", "flag_file"}
	for _, f := range evidence.Features {
		row = append(row, f.Name)
	}
	if err := w.Write(row); err != nil {
		return err
	}
	for i := range p.uploads {
		u := &p.uploads[i]
		for _, c := range p.library.among(p.found[i], last, p.library.most+leftOut) {
			if c.flag == u.other || c.flag != u.original && p.same(u, c.flag) {
				continue
			}
			row := []string{
				strconv.Itoa(i), u.kind, u.edit.Name, string(u.edit.Group), strconv.Itoa(c.flag), strconv.FormatBool(c.flag == u.original),
				strconv.Itoa(c.rank[last]), strconv.Itoa(c.FlagPoints), u.name, p.library.flags[c.flag].name,
			}
			for _, v := range evidence.Values(c.Evidence) {
				row = append(row, strconv.FormatFloat(v, 'g', 6, 64))
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}
