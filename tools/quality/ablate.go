package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"moderator/internal/edits"
	"moderator/internal/imaging"
)

// choice is a set of views, measured as the union that ships.
type choice struct {
	what         string
	rows         float64 // vectors per flag
	recall       map[string]float64
	threshold    float32
	falseMatches int // at the threshold of all views
}

// ablate measures all views, the picture alone, all but one, and the picture with one, each at its own threshold.
func ablate(flags []features, queries []answered, flagViews, queryViews []imaging.View, fpr float64) []choice {
	type pair struct{ query, flag imaging.View }
	vectors, hashes := map[pair]*grid{}, map[pair]*grid{}
	for _, q := range queryViews {
		for _, f := range flagViews {
			vectors[pair{q, f}] = vectorGrid(flags, queries, q, f, true)
			hashes[pair{q, f}] = pdqGrid(flags, queries, q, f)
		}
	}
	exact := exactGrid(flags, queries)
	var all float32
	try := func(what string, flagged, asked []imaging.View) choice {
		over := func(of map[pair]*grid) *grid {
			best := newGrid(len(queries), len(flags))
			for _, q := range asked {
				for _, f := range flagged {
					best.raise(of[pair{q, f}])
				}
			}
			return best
		}
		r := &result{queries: queries, flags: len(flags), fpr: fpr}
		best := r.add(withViews, over(vectors), r.atRate)
		u := r.add(shipped, union(exact, over(hashes), best.grid), func(ranking) float32 { return best.threshold })
		if what == "all views" {
			all = best.threshold
		}
		c := choice{what: what, recall: u.recall, threshold: best.threshold, falseMatches: reaching(u.ranking.others, all)}
		for i := range flags {
			for _, v := range flagged {
				if _, ok := flags[i].looks[v]; ok {
					c.rows += 1 / float64(len(flags))
				}
			}
		}
		return c
	}

	original := []imaging.View{imaging.ViewOriginal}
	choices := []choice{try("all views", flagViews, queryViews), try("the picture alone", original, original)}
	for _, v := range flagViews[1:] {
		choices = append(choices, try("without flag's "+string(v), without(flagViews, v), queryViews))
	}
	for _, v := range flagViews[1:] {
		choices = append(choices, try("picture and "+string(v), []imaging.View{imaging.ViewOriginal, v}, queryViews))
	}
	for _, v := range queryViews[1:] {
		choices = append(choices, try("without upload's "+string(v), flagViews, without(queryViews, v)))
	}
	quarters := []imaging.View{imaging.ViewQuarterTL, imaging.ViewQuarterTR, imaging.ViewQuarterBL, imaging.ViewQuarterBR}
	choices = append(choices,
		try("without flag's quarters", without(flagViews, quarters...), queryViews),
		try("without flag's crops", without(flagViews, append(quarters, imaging.ViewCenter70)...), queryViews))
	return choices
}

func without(all []imaging.View, some ...imaging.View) []imaging.View {
	var kept []imaging.View
next:
	for _, v := range all {
		for _, s := range some {
			if v == s {
				continue next
			}
		}
		kept = append(kept, v)
	}
	return kept
}

// printAblation writes the choices as a table.
func printAblation(stdout io.Writer, choices []choice) {
	fmt.Fprintln(stdout, "\nviews: recall of the union, each choice at its own threshold; false matches at the threshold of all views")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "views\trows per flag\t")
	for _, group := range edits.Groups() {
		fmt.Fprintf(w, "%s\t", group)
	}
	fmt.Fprintln(w, "all\tthreshold\tfalse matches\t")
	for _, c := range choices {
		fmt.Fprintf(w, "%s\t%.2f\t", c.what, c.rows)
		for _, group := range edits.Groups() {
			fmt.Fprintf(w, "%.3f\t", c.recall[string(group)])
		}
		fmt.Fprintf(w, "%.3f\t%.4f\t%d\t\n", c.recall["all"], c.threshold, c.falseMatches)
	}
	w.Flush()
}
