package calibrate

import (
	"cmp"
	"math"
	"slices"

	"moderator/internal/dot"
	"moderator/internal/pdq"
	"moderator/internal/transforms"
)

// Result is the outcome of a measurement.
type Result struct {
	FPR      float64 // false-positive rate: share of the pairs of different pictures that may match
	Pictures int     // flagged pictures
	Edited   int     // how many of them were edited
	Uploads  int
	Pairs    int // pairs of an upload and a flag of another picture

	BlockAt, ReviewAt float64 // at FPR, and at ten times FPR
	False             int     // pairs that reach BlockAt
	FalsePDQ          int     // pairs that match by PDQ
	Recall            []Recall
	Closest           []ClosePair // pairs of different pictures, the closest first

	curves scores
}

// Recall is the share of found copies, of one edit, a group of edits, or all.
type Recall struct {
	Name   string  `json:"edit"`
	Group  string  `json:"group"` // easy, medium, hard; "" for all
	Copies int     `json:"copies"`
	Block  float64 `json:"block"`  // by the score, at BlockAt
	Review float64 `json:"review"` // by the score, at ReviewAt
	Union  float64 `json:"union"`  // blocked by the score or PDQ
	Sum    bool    `json:"-"`
}

// ClosePair is an upload and a flag of another picture.
type ClosePair struct {
	Upload, Flag int // numbers of the pictures
	Edit         string
	Score        float64
}

// shownPairs is how many of the closest pairs the report shows, one for each two pictures.
const shownPairs = 24

// scores holds the scores of all pairs, in descending order.
type scores struct {
	others  []float32
	matches map[string][]float32 // by group, and "all"
}

// pairScore compares an upload and a flag by their nearest views.
type pairScore struct {
	score float32
	pdq   bool // at most pdq.MaxDistance bits differ
}

func compare(upload, flag compared) pairScore {
	s := pairScore{score: float32(math.Inf(-1))}
	for _, q := range upload.views {
		for _, f := range flag.views {
			s.pdq = s.pdq || min(q.Quality, f.Quality) >= pdq.MinQuality && q.Hash.Distance(f.Hash) <= pdq.MaxDistance
		}
	}
	return s
}

// grid compares all uploads with all flags. It returns a row for each upload.
func grid(uploads, flags []compared) [][]pairScore {
	var library []float32
	var owners []int
	var penalties []float32
	for k, f := range flags {
		for _, l := range f.views {
			library, owners, penalties = append(library, l.Vector...), append(owners, k), append(penalties, l.Penalty)
		}
	}
	rows := make([][]pairScore, len(uploads))
	products := make([]float32, len(owners))
	for i, u := range uploads {
		row := make([]pairScore, len(flags))
		for k, f := range flags {
			row[k] = compare(u, f)
		}
		for _, q := range u.views {
			dot.Products(library, q.Vector, len(q.Vector), products)
			for j, k := range owners {
				row[k].score = max(row[k].score, products[j]-q.Penalty-penalties[j])
			}
		}
		rows[i] = row
	}
	return rows
}

// measure finds the thresholds, and the recall at them.
func measure(uploads, flags []compared, fpr float64) *Result {
	r := &Result{FPR: fpr, Pictures: len(flags), Uploads: len(uploads), curves: scores{matches: map[string][]float32{}}}
	rows := grid(uploads, flags)
	list := transforms.Quality()
	closest := map[[2]int]ClosePair{}
	sampled := map[int]bool{}
	for i, u := range uploads {
		for k, f := range flags {
			s := rows[i][k]
			if u.picture != f.picture {
				r.curves.others = append(r.curves.others, s.score)
				if s.pdq {
					r.FalsePDQ++
				}
				keep(closest, u, f, s, list)
			} else if u.edit != asItIs {
				sampled[u.picture] = true
				for _, name := range []string{string(list[u.edit].Group), all} {
					r.curves.matches[name] = append(r.curves.matches[name], s.score)
				}
			}
		}
	}
	r.Edited, r.Pairs = len(sampled), len(r.curves.others)
	descending(r.curves.others)
	for _, m := range r.curves.matches {
		descending(m)
	}
	r.BlockAt, r.ReviewAt = rounded(threshold(r.curves.others, fpr)), rounded(threshold(r.curves.others, 10*fpr))
	r.False = reaching(r.curves.others, r.BlockAt)
	r.recall(uploads, flags, rows, list)
	for _, p := range closest {
		r.Closest = append(r.Closest, p)
	}
	slices.SortFunc(r.Closest, func(a, b ClosePair) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Upload, b.Upload), cmp.Compare(a.Flag, b.Flag))
	})
	r.Closest = r.Closest[:min(len(r.Closest), shownPairs)]
	return r
}

const all = "all"

// keep keeps the closest pair of each two pictures.
func keep(closest map[[2]int]ClosePair, u, f compared, s pairScore, list []transforms.Edit) {
	two := [2]int{min(u.picture, f.picture), max(u.picture, f.picture)}
	if old, ok := closest[two]; ok && old.Score >= float64(s.score) {
		return
	}
	p := ClosePair{Upload: u.picture, Flag: f.picture, Edit: "as it is", Score: float64(s.score)}
	if u.edit != asItIs {
		p.Edit = list[u.edit].Name
	}
	closest[two] = p
}

// recall adds the recall of each edit, each group and all.
func (r *Result) recall(uploads, flags []compared, rows [][]pairScore, list []transforms.Edit) {
	place := map[int]int{}
	for k, f := range flags {
		place[f.picture] = k
	}
	count := map[string]*Recall{}
	for i, u := range uploads {
		if u.edit == asItIs {
			continue
		}
		s := rows[i][place[u.picture]]
		for _, name := range []string{list[u.edit].Name, string(list[u.edit].Group), all} {
			c := count[name]
			if c == nil {
				c = &Recall{}
				count[name] = c
			}
			c.Copies++
			block := float64(s.score) >= r.BlockAt
			c.Block += one(block)
			c.Review += one(float64(s.score) >= r.ReviewAt)
			c.Union += one(block || s.pdq)
		}
	}
	add := func(name, group string, sum bool) {
		c := count[name]
		if c == nil {
			return
		}
		n := float64(c.Copies)
		r.Recall = append(r.Recall, Recall{name, group, c.Copies, c.Block / n, c.Review / n, c.Union / n, sum})
	}
	for _, group := range transforms.Groups() {
		for _, e := range list {
			if e.Group == group {
				add(e.Name, string(group), false)
			}
		}
		add(string(group), string(group), true)
	}
	add(all, "", true)
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// rounded rounds up to four digits, which people can type. Scores are at most 1.
func rounded(score float64) float64 { return min(1, math.Ceil(score*1e4)/1e4) }

// threshold returns the lowest score that at most the share fpr of others reaches. others is in descending order: of n, the
// threshold is just above number floor(fpr n) + 1.
func threshold(others []float32, fpr float64) float64 {
	allowed := min(int(fpr*float64(len(others))+1e-9), len(others)-1)
	return float64(math.Nextafter32(others[allowed], float32(math.Inf(1))))
}

// reaching counts the scores of a descending list that are t or more.
func reaching(s []float32, t float64) int {
	n, _ := slices.BinarySearchFunc(s, t, func(score float32, t float64) int {
		if float64(score) >= t {
			return -1
		}
		return 1
	})
	return n
}

func descending(s []float32) {
	slices.Sort(s)
	slices.Reverse(s)
}
