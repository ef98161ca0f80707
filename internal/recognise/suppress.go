package recognise

import (
	"context"

	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// suppress gives those hits that are matches the allowed picture that the upload is nearer to, where there is one. Most
// uploads are near no flag, and cost nothing here. vectors are those of all views by model, as queries gives them.
func (m Matcher) suppress(ctx context.Context, uploads []feature.Query, vectors [][]matchdb.Query, hits [][]verdict.Hit) error {
	for i := range m.models {
		if err := m.suppressByModel(ctx, i, uploads, vectors[i], hits); err != nil {
			return err
		}
	}
	return nil
}

// suppressByModel is suppress for the hits of one model; those of none are the first one's.
func (m Matcher) suppressByModel(ctx context.Context, model int, uploads []feature.Query, vectors []matchdb.Query, hits [][]verdict.Hit) error {
	info := &m.models[model].info
	wanted := func(h verdict.Hit) bool {
		return suppressible(h) && (h.Model == info || h.Model == nil && model == 0)
	}
	type view struct {
		upload, query int
		turn          pdq.Turn
	}
	queryOf := map[view]int{} // place in qs
	var qs []matchdb.AllowQuery
	for i, u := range uploads {
		for _, h := range hits[i] {
			place := view{i, h.Query, h.Turn}
			if _, ok := queryOf[place]; ok || !wanted(h) {
				continue
			}
			queryOf[place] = len(qs)
			v := u.Views[h.Query]
			qs = append(qs, matchdb.AllowQuery{
				SHA256: u.SHA256, Query: vectors[h.Query], PDQ: matchdb.PDQ{Hash: v.Turns[h.Turn], Quality: v.Quality},
			})
		}
		vectors = vectors[len(u.Views):]
	}
	if len(qs) == 0 {
		return nil
	}
	nearest, err := m.db.NearestAllowed(ctx, info.Fingerprint, qs)
	if err != nil {
		return err
	}
	for i := range uploads {
		for j := range hits[i] {
			h := &hits[i][j]
			if wanted(*h) {
				h.Allowed = nearer(nearest[queryOf[view{i, h.Query, h.Turn}]], *h)
			}
		}
	}
	return nil
}

// suppressible tells whether an allowed picture may keep the hit from counting: never the very same file.
func suppressible(h verdict.Hit) bool { return h.Signal != event.SignalExact && h.Reached() }

// nearer is the allowed picture that is nearer than the hit, by the hit's signal, or nil. The allowed file itself is
// nearer than anything.
func nearer(n matchdb.NearestAllowed, h verdict.Hit) *verdict.Allowed {
	if h.Candidate != nil {
		h = *h.Candidate // allowed pictures have no points
	}
	switch {
	case n.SameFile != nil:
		return &verdict.Allowed{ID: n.SameFile.ID.String(), View: string(imaging.ViewOriginal), Similarity: 1, Score: 1}
	case h.Signal == event.SignalPDQ && n.PDQ != nil && equalBits(n.PDQ.Distance) > h.Similarity:
		bits := equalBits(n.PDQ.Distance)
		return &verdict.Allowed{ID: n.PDQ.ID.String(), View: n.PDQ.View, Similarity: bits, Score: bits}
	case h.Signal == event.SignalEmbedding && n.Embedding != nil && n.Embedding.Score > h.Score:
		e := n.Embedding
		return &verdict.Allowed{ID: e.ID.String(), View: e.View, Similarity: e.Similarity, Score: e.Score}
	}
	return nil
}
