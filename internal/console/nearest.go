package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sort"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

// allowed returns the allowed pictures that are nearest to any view, without duplicates, best first.
func (p *Pictures) allowed(ctx context.Context, sum string, queries []recognise.ViewVector) ([]NearAllowed, error) {
	qs := make([]matchdb.AllowQuery, len(queries))
	for i, v := range queries {
		qs[i] = matchdb.AllowQuery{
			SHA256: sum, Query: matchdb.Query{Vector: v.Vector, Penalty: v.Penalty}, PDQ: matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality},
		}
	}
	nearest, err := p.db.NearestAllowed(ctx, p.model.Folder().Fingerprint(), qs)
	if err != nil {
		return nil, err
	}
	best := map[uuid.UUID]NearAllowed{}
	for _, n := range nearest {
		if hit := n.Embedding; hit != nil {
			if old, ok := best[hit.ID]; !ok || hit.Score > old.Score {
				best[hit.ID] = NearAllowed{AllowHit: *hit}
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
	var found []NearAllowed
	for _, a := range all {
		if hit, ok := best[a.ID]; ok {
			hit.Source, hit.Note = a.Source, a.Note
			found = append(found, hit)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Score > found[j].Score })
	return found, nil
}

// recent returns the nearest uploads that are kept for look-backs. If the database's role may not read them, why has the
// reason.
func (p *Pictures) recent(ctx context.Context, queries []recognise.ViewVector, most int) (near []NearRecent, why string, err error) {
	qs := make([]matchdb.Query, len(queries))
	for i, v := range queries {
		qs[i] = matchdb.Query{Vector: v.Vector, Penalty: v.Penalty}
	}
	found, err := p.db.SearchRecent(ctx, p.model.Folder().Fingerprint(), qs, most)
	if errors.Is(err, matchdb.ErrReadOnly) {
		return nil, err.Error(), nil
	}
	for _, r := range found {
		upload := NearRecent{Recent: r}
		if err := json.Unmarshal(r.Upload, &upload.Info); err != nil {
			return nil, "", err
		}
		near = append(near, upload)
	}
	return near, "", err
}

// Allow puts the picture on the allow-list. It sets the features of a.
func (p *Pictures) Allow(ctx context.Context, data []byte, a matchdb.NewAllowed) error {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	a.SHA256, a.Model = hex.EncodeToString(sum[:]), p.model.Folder().Fingerprint()
	a.Embeddings, a.PDQ = picture.Signals()
	_, err = p.db.Allow(ctx, a)
	return err
}
