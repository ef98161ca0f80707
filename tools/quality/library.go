package main

import (
	"cmp"
	"math"
	"slices"

	"moderator/internal/dot"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/pointindex"
	"moderator/internal/recognise"
	"moderator/internal/verdict"
)

// library is flags in memory, searched as the moderator searches its own: by score, by PDQ and by the index of keypoints, then
// verified. It is searched at several sizes at once, each of which is that many of the first flags.
type library struct {
	flags    []features
	sizes    []int   // ascending; the last is all
	most     int     // candidates of each retriever
	reviewAt float32 // the score of a match
	dims     int
	rows     []row
	matrix   []float32           // the rows' vectors
	hashes   [][]pdq.Hash        // of each flag
	points   []*pointindex.Index // of each size
}

// row is the vector of one view of a flag.
type row struct {
	flag    int
	view    imaging.View
	penalty float32
}

func newLibrary(flags []features, sizes []int, flagViews []imaging.View, most int, reviewAt float64) *library {
	l := &library{flags: flags, sizes: sizes, most: most, reviewAt: float32(reviewAt), hashes: make([][]pdq.Hash, len(flags))}
	for i := range flags {
		for _, view := range flagViews {
			k, ok := flags[i].looks[view]
			if !ok {
				continue
			}
			l.dims = len(k.vector)
			l.rows = append(l.rows, row{i, view, k.penalty})
			l.matrix = append(l.matrix, k.vector...)
			if k.quality >= pdq.MinQuality {
				l.hashes[i] = append(l.hashes[i], k.hash)
				if view == imaging.ViewOriginal { // turns of uploads are searched, which is as good
					l.hashes[i] = append(l.hashes[i], flags[i].turns...)
				}
			}
		}
	}
	for _, size := range sizes {
		index := pointindex.New()
		all := make([]keypoint.Features, size)
		for i := range all {
			all[i] = flags[i].points
		}
		index.Add(all...)
		l.points = append(l.points, index)
	}
	return l
}

// candidate is a flag that an upload was verified against.
type candidate struct {
	flag int
	verdict.Evidence
	variant   keypoint.Variant // that its Votes are for
	agreement keypoint.Agreement
	rank      []int // by size: of the flag by the retriever that has it highest; never if none brings it
}

const unranked = math.MaxInt

// search gives the candidates of each upload, whatever the size that brings them. So many more of each retriever are looked at
// that the caller can leave some flags out.
func (l *library) search(uploads []*features, more int) [][]candidate {
	best := l.scores(uploads)
	found := make([][]candidate, len(uploads))
	for i, u := range uploads {
		found[i] = l.candidates(u, best[i], more)
	}
	return found
}

func (l *library) candidates(u *features, best []scored, more int) []candidate {
	found := map[int]*candidate{}
	bring := func(size, flag, rank int) *candidate {
		c := found[flag]
		if c == nil {
			c = &candidate{flag: flag, rank: slices.Repeat([]int{unranked}, len(l.sizes))}
			found[flag] = c
		}
		c.rank[size] = min(c.rank[size], rank)
		return c
	}
	distances := l.distances(u)
	byScore := func(a, b int) int { return cmp.Compare(best[b].score, best[a].score) }
	byHash := func(a, b int) int { return cmp.Compare(distances[a], distances[b]) }
	for i, size := range l.sizes {
		scores := top(size, l.most+more, byScore, func(k int) bool { return best[k].score >= l.reviewAt })
		hashes := top(size, l.most+more, byHash, func(k int) bool { return distances[k] <= pdq.MaxDistance })
		var agreed []int
		if len(scores)+len(hashes) == 0 {
			agreed = l.agreed(u, top(size, matchdb.ComparedRows, byScore, func(int) bool { return true }), l.points[i])
			if len(agreed) == 0 {
				continue
			}
		}
		for _, flags := range [][]int{scores, hashes, agreed} {
			for rank, flag := range flags {
				bring(i, flag, rank)
			}
		}
		for rank, c := range l.points[i].Search(u.asked, l.most+more) {
			of := bring(i, int(c.ID), rank)
			of.Votes, of.variant = c.Points, c.Variant
		}
	}
	all := make([]candidate, 0, len(found))
	var made *keypoint.Plane
	plane := func() *keypoint.Plane {
		if made == nil {
			made = keypoint.NewPlane(u.plane.Width, u.plane.Height, u.plane.Pix)
		}
		return made
	}
	for _, c := range found {
		l.verify(u, c, best[c.flag], distances[c.flag], plane)
		all = append(all, *c)
	}
	if made != nil {
		made.Close()
	}
	slices.SortFunc(all, func(a, b candidate) int { return a.flag - b.flag })
	return all
}

// agreed are the flags that an upload which no other signal matches is verified for: those among the nearest and the candidates of the
// index whose keypoints agree with the coarse pass's.
func (l *library) agreed(u *features, nearest []int, points *pointindex.Index) (flags []int) {
	for _, flag := range nearest {
		if keypoint.Agrees(l.flags[flag].points, u.coarse) {
			flags = append(flags, flag)
		}
	}
	for _, c := range points.Search(u.coarse, recognise.CoarseCandidates) {
		if keypoint.Agrees(l.flags[c.ID].points, u.coarse, c.Variant) {
			flags = append(flags, int(c.ID))
		}
	}
	return flags
}

// among are the candidates that rank among the first most in the library of one size, each told from the others.
func (l *library) among(found []candidate, size, most int) []candidate {
	var in []candidate
	for _, c := range found {
		if c.rank[size] < most {
			in = append(in, c)
		}
	}
	agreements, flags := make([]*keypoint.Agreement, len(in)), make([]keypoint.Features, len(in))
	for k := range in {
		agreements[k], flags[k] = &in[k].agreement, l.flags[in[k].flag].points
	}
	keypoint.Contrast(agreements, flags)
	for k := range in {
		in[k].Shared = in[k].agreement.Support.Shared
	}
	return in
}

// guidedFrom is how many keypoints must agree for the upload's plane to be looked at, as in the moderator.
const guidedFrom = 3

// verify fills a candidate's evidence in.
func (l *library) verify(u *features, c *candidate, best scored, distance int, plane func() *keypoint.Plane) {
	flag := &l.flags[c.flag]
	a := &c.agreement
	if c.Votes > 0 {
		*a = keypoint.Verify(flag.points, u.asked, c.variant)
	} else {
		*a = keypoint.Verify(flag.points, u.asked)
	}
	if a.Support.Agreeing >= guidedFrom || distance <= pdq.MaxDistance || best.score >= l.reviewAt {
		a.Guided = keypoint.Guide(flag.points, plane(), *a)
	}
	votes := c.Votes
	c.Evidence = recognise.KeypointEvidence(len(flag.points.Points), len(u.points.Points), *a)
	e := &c.Evidence
	e.Votes, e.HasVector, e.Score, e.Similarity, e.View = votes, best.view != "", float64(best.score), float64(best.similarity), string(best.view)
	e.PDQ, e.FlagQuality, e.UploadQuality = distance, -1, -1
	if distance > pdq.Bits {
		e.PDQ = -1
	}
	for _, k := range flag.looks {
		if k.quality >= pdq.MinQuality {
			e.FlagQuality = max(e.FlagQuality, k.quality)
		}
	}
	for _, k := range u.looks {
		e.UploadQuality = max(e.UploadQuality, k.quality)
	}
}

// scored is the best score of a flag, with the cosine and the view that it is of.
type scored struct {
	score, similarity float32
	view              imaging.View
}

// scores are the best of each flag over the views of both, for each upload.
func (l *library) scores(uploads []*features) [][]scored {
	best := make([][]scored, len(uploads))
	var queries []float32
	var looks []look
	var of []int
	for i, u := range uploads {
		best[i] = make([]scored, len(l.flags))
		for k := range best[i] {
			best[i][k].score = never
		}
		for _, q := range u.looks {
			queries, looks, of = append(queries, q.vector...), append(looks, q), append(of, i)
		}
	}
	products := make([]float32, len(looks)*len(l.rows))
	dot.Products(queries, l.matrix, l.dims, products)
	for k, q := range looks {
		best := best[of[k]]
		for i, r := range l.rows {
			product := products[k*len(l.rows)+i]
			if score := product - q.penalty - r.penalty; score > best[r.flag].score {
				best[r.flag] = scored{score, product, r.view}
			}
		}
	}
	return best
}

// distances are the fewest bits that hashes of an upload and of each flag differ in; more than there are where one has none.
func (l *library) distances(u *features) []int {
	nearest := slices.Repeat([]int{pdq.Bits + 1}, len(l.flags))
	for _, q := range u.looks {
		if q.quality < pdq.MinQuality {
			continue
		}
		for i, hashes := range l.hashes {
			for _, h := range hashes {
				nearest[i] = min(nearest[i], q.hash.Distance(h))
			}
		}
	}
	return nearest
}

// top are the first places of 0 to n-1 in an order, of those that are wanted: at most most of them.
func top(n, most int, order func(a, b int) int, wanted func(k int) bool) []int {
	var places []int
	for k := range n {
		if !wanted(k) || len(places) == most && order(k, places[most-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(places, k, func(a, b int) int {
			if order(a, b) <= 0 {
				return -1
			}
			return 1
		})
		places = slices.Insert(places, at, k)
		places = places[:min(len(places), most)]
	}
	return places
}
