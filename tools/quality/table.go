package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"moderator/internal/transforms"
)

// print writes the tables for people.
func (r *result) print(stdout io.Writer, c *collection) {
	fmt.Fprintf(stdout, "\nrecall at one false match in %.0f pairs; pdq is upright, at most 31 bits; %d uploads, %d flags, %d pairs that are no match\n\n",
		1/r.fpr, len(r.queries), r.flags, r.pairs)
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(m *method) string) {
		fmt.Fprintf(w, "%s\t", name)
		for _, m := range r.methods {
			fmt.Fprintf(w, "%s\t", cell(m))
		}
		fmt.Fprintln(w)
	}
	recall := func(name string) {
		row(name, func(m *method) string { return fmt.Sprintf("%.3f", m.recall[name]) })
	}
	row("", func(m *method) string { return m.name })
	for _, group := range transforms.Groups() {
		for _, e := range transforms.Quality() {
			if e.Group == group {
				recall(e.Name)
			}
		}
		recall(string(group))
		fmt.Fprintln(w)
	}
	recall("all")
	row("µAP", func(m *method) string { return fmt.Sprintf("%.3f", m.microAP) })
	row("recall at 90 % precision", func(m *method) string { return fmt.Sprintf("%.3f", m.recallAt90) })
	row("threshold", func(m *method) string { return fmt.Sprintf("%.4g", m.threshold) })
	row("false matches", func(m *method) string { return fmt.Sprint(m.falseMatches) })
	row("of so many originals", func(m *method) string { return fmt.Sprint(m.falseOriginals) })
	row("other captions taken for matches", func(m *method) string {
		return fmt.Sprintf("%d/%d", reaching(m.ranking.twins, m.threshold), len(m.ranking.twins))
	})
	row("all, if those counted as false", func(m *method) string { return fmt.Sprintf("%.3f", m.strict) })
	fmt.Fprintln(w)
	fmt.Fprint(w, "set\tuploads\tpairs\t")
	for _, m := range r.methods {
		fmt.Fprintf(w, "%s\t", m.name)
	}
	fmt.Fprintln(w, "false matches by evidence\t")
	for _, s := range r.sets {
		fmt.Fprintf(w, "%s\t%d\t%d\t", s.name, s.queries, s.pairs)
		for _, m := range r.methods {
			fmt.Fprintf(w, "%.3f\t", s.recall[m.name])
		}
		fmt.Fprintf(w, "%d\t\n", s.falseMatches)
	}
	w.Flush() // to a stream of this process; what a closed one loses, nobody reads
	for _, m := range []string{withViews, withPoints, shipped} {
		fmt.Fprintf(stdout, "\ndifferent pictures that are most alike to %s:\n", m)
		for _, p := range r.method(m).mostAlike(r.queries, 6) {
			q := r.queries[p.query]
			fmt.Fprintf(stdout, "  %.4g  %s of %s and %s\n", p.score, q.edit.Name, c.originals[q.original].name, c.originals[p.flag].name)
		}
	}
	score := r.method(withViews)
	fmt.Fprintf(stdout, "\ncopies that the score finds are above its threshold by (deciles) %.3f\n", score.ranking.margins(score.threshold))
	fmt.Fprintf(stdout, "\nthresholds: block_at=%.4f review_at=%.4f\n", r.blockAt, r.reviewAt)
}

// printOwn writes what the union gives at the model's own threshold, for flags of banks that decide by the score.
func (r *result) printOwn(stdout io.Writer, blockAt float64) {
	u := r.method(unionOfAll).ranking
	t := float32(blockAt)
	wrong := reaching(u.others, t)
	fmt.Fprintf(stdout, "at the model's own block_at=%.4f: union all=%.3f, %d false matches, %.1f in a million pairs; other captions %d of %d\n",
		blockAt, u.recall(t), wrong, 1e6*float64(wrong)/float64(len(u.others)), reaching(u.twins, t), len(u.twins))
}
