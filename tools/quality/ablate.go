package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"moderator/internal/imaging"
	"moderator/internal/transforms"
)

// choice is a set of views, measured by the union of the signals.
type choice struct {
	what         string
	rows, asked  float64 // vectors per flag and per upload
	recall       map[string]float64
	threshold    float32
	falseMatches int // at the threshold of what ships
	captions     int // templates with another caption that are taken for a match
}

// crops are the views that keep a part of a picture.
var crops = []imaging.View{
	imaging.ViewCenter90, imaging.ViewCenter70, imaging.ViewQuarterTL, imaging.ViewQuarterTR, imaging.ViewQuarterBL, imaging.ViewQuarterBR,
}

// candidates adds the crops to the views that ship.
func candidates(shipped []imaging.View) []imaging.View {
	all := slices.Clone(shipped)
	for _, v := range crops {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// ablation measures choices of views on features of all candidates.
type ablation struct {
	flags              []features
	queries            []answered
	fpr                float64
	near               *closer
	exact, turns       *grid
	common             float32 // threshold of what ships
	flagSide, askSide  map[imaging.View][2]*grid
	flagViews, askedBy []imaging.View
}

// ablate measures what ships, the picture alone, what ships without each of its views, with each further one, and with a
// centre on both sides; each at its own threshold.
func ablate(flags []features, queries []answered, flagViews, queryViews []imaging.View, near *closer, fpr float64) []choice {
	a := &ablation{
		flags: flags, queries: queries, fpr: fpr, near: near, exact: exactGrid(flags, queries), turns: turnsGrid(flags, queries), flagViews: flagViews, askedBy: queryViews,
		flagSide: map[imaging.View][2]*grid{}, askSide: map[imaging.View][2]*grid{},
	}
	// The best over all views is the best over the bests of each view of one side: that many grids have to be kept.
	for _, f := range candidates(flagViews) {
		a.flagSide[f] = a.compare([]imaging.View{f}, queryViews)
	}
	for _, q := range candidates(queryViews) {
		a.askSide[q] = a.compare(flagViews, []imaging.View{q})
	}

	original := []imaging.View{imaging.ViewOriginal}
	choices := []choice{a.flagged("what ships", flagViews), a.try("the picture alone", original, original, a.compare(original, original))}
	for _, v := range candidates(flagViews)[1:] {
		if slices.Contains(flagViews, v) {
			choices = append(choices, a.flagged("flag without "+string(v), without(flagViews, v)))
		} else {
			choices = append(choices, a.flagged("flag with "+string(v), append(slices.Clone(flagViews), v)))
		}
	}
	for _, v := range candidates(queryViews)[1:] {
		if slices.Contains(queryViews, v) {
			choices = append(choices, a.asked("upload without "+string(v), without(queryViews, v)))
		} else {
			choices = append(choices, a.asked("upload with "+string(v), append(slices.Clone(queryViews), v)))
		}
	}
	for _, v := range []imaging.View{imaging.ViewCenter90, imaging.ViewCenter70} {
		flagged, asked := append(without(flagViews, v), v), append(without(queryViews, v), v)
		choices = append(choices, a.try("both with "+string(v), flagged, asked, a.compare(flagged, asked)))
	}
	return choices
}

// compare gives the grids of the vectors' score and of PDQ, best over views.
func (a *ablation) compare(flagged, asked []imaging.View) [2]*grid {
	return [2]*grid{
		overViews(flagged, asked, func(q, f imaging.View) *grid { return vectorGrid(a.flags, a.queries, q, f, true) }),
		overViews(flagged, asked, func(q, f imaging.View) *grid { return pdqGrid(a.flags, a.queries, q, f) }),
	}
}

// flagged measures other views of the flags.
func (a *ablation) flagged(what string, flagged []imaging.View) choice {
	return a.try(what, flagged, a.askedBy, best(a.flagSide, flagged))
}

// asked measures other views of the uploads.
func (a *ablation) asked(what string, asked []imaging.View) choice {
	return a.try(what, a.flagViews, asked, best(a.askSide, asked))
}

func best(of map[imaging.View][2]*grid, views []imaging.View) [2]*grid {
	var all [2]*grid
	for k := range all {
		all[k] = newGrid(of[views[0]][k].rows, of[views[0]][k].columns)
		for _, v := range views {
			all[k].raise(of[v][k])
		}
	}
	return all
}

// try measures one choice.
func (a *ablation) try(what string, flagged, asked []imaging.View, grids [2]*grid) choice {
	r := &result{queries: a.queries, flags: len(a.flags), fpr: a.fpr}
	grids[1].raise(a.turns)
	vectors := r.add(withViews, grids[0], r.atRate)
	u := r.add(unionOfAll, union(a.exact, grids[1], a.near.grid(grids[1]), grids[0]), func(ranking) float32 { return vectors.threshold })
	if a.common == 0 {
		a.common = vectors.threshold
	}
	c := choice{what: what, recall: u.recall, threshold: vectors.threshold, falseMatches: reaching(u.ranking.others, a.common)}
	c.captions = reaching(u.ranking.twins, u.threshold)
	for i := range a.flags {
		c.rows += a.flags[i].count(flagged) / float64(len(a.flags))
	}
	for i := range a.queries {
		c.asked += a.queries[i].count(asked) / float64(len(a.queries))
	}
	return c
}

// count returns how many of the views the picture has.
func (f *features) count(of []imaging.View) float64 {
	n := 0.0
	for _, v := range of {
		if _, ok := f.looks[v]; ok {
			n++
		}
	}
	return n
}

func without(all []imaging.View, view imaging.View) []imaging.View {
	return slices.DeleteFunc(slices.Clone(all), func(v imaging.View) bool { return v == view })
}

// printAblation writes the choices as a table.
func printAblation(stdout io.Writer, choices []choice) {
	fmt.Fprintln(stdout, "\nviews: recall of the union, each choice at its own threshold; false matches at the threshold of what ships")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "views\tper flag\tper upload\t")
	for _, group := range transforms.Groups() {
		fmt.Fprintf(w, "%s\t", group)
	}
	fmt.Fprintln(w, "all\tthreshold\tfalse matches\tother captions\t")
	for _, c := range choices {
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t", c.what, c.rows, c.asked)
		for _, group := range transforms.Groups() {
			fmt.Fprintf(w, "%.3f\t", c.recall[string(group)])
		}
		fmt.Fprintf(w, "%.3f\t%.4f\t%d\t%d\t\n", c.recall["all"], c.threshold, c.falseMatches, c.captions)
	}
	w.Flush()
}
