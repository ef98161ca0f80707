package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"

	"github.com/google/uuid"

	"moderator/internal/console"
	"moderator/internal/matchdb"
)

// allowed are the allowed pictures that are nearest to any view, each once.
func (p *pictures) allowed(ctx context.Context, sum string, asked []ViewVector) ([]console.NearAllowed, error) {
	qs := make([]matchdb.AllowQuery, len(asked))
	for i, v := range asked {
		qs[i] = matchdb.AllowQuery{
			SHA256: sum, Query: matchdb.Query{Vector: v.Vector, Half: v.Half}, PDQ: matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality},
		}
	}
	nearest, err := p.db.NearestAllowed(ctx, p.model.Folder().Fingerprint(), qs)
	if err != nil {
		return nil, err
	}
	best := map[uuid.UUID]console.NearAllowed{}
	for _, n := range nearest {
		if hit := n.Embedding; hit != nil {
			if old, ok := best[hit.ID]; !ok || hit.Score > old.Score {
				best[hit.ID] = console.NearAllowed{AllowHit: *hit}
			}
		}
	}
	for _, n := range nearest {
		if hit := n.SameFile; hit != nil {
			known, ok := best[hit.ID]
			if !ok {
				known.AllowHit = *hit
			}
			known.SameFile = true
			best[hit.ID] = known
		}
	}
	if len(best) == 0 {
		return nil, nil
	}
	all, err := p.db.AllowList(ctx)
	if err != nil {
		return nil, err
	}
	var found []console.NearAllowed
	for _, a := range all {
		if hit, ok := best[a.ID]; ok {
			hit.Source, hit.Note = a.Source, a.Note
			found = append(found, hit)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Score > found[j].Score })
	return found, nil
}

func (p *pictures) Allow(ctx context.Context, data []byte, a matchdb.NewAllowed) error {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	a.SHA256, a.Model = hex.EncodeToString(sum[:]), p.model.Folder().Fingerprint()
	for _, v := range picture.Vectors {
		a.Embeddings = append(a.Embeddings, matchdb.Embedding{View: v.Name(), Vector: v.Vector, Half: v.Half})
		a.PDQ = append(a.PDQ, matchdb.PDQ{View: v.Name(), Hash: v.PDQ, Quality: v.Quality})
	}
	_, err = p.db.Allow(ctx, a)
	return err
}
