package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sort"

	"github.com/google/uuid"

	"moderator/internal/config"
	"moderator/internal/console"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// pictures does what the console asks for, in decode workers of its own: people's pictures and uploads do not wait for
// each other.
type pictures struct {
	model            *embed.Model
	db               *matchdb.DB
	viewer, comparer *lazyPool
}

func newPictures(model *embed.Model, db *matchdb.DB, c config.Run, log *slog.Logger) (*pictures, error) {
	viewer, comparer, err := consoleDecoders(model.Folder(), c, log)
	return &pictures{model: model, db: db, viewer: viewer, comparer: comparer}, err
}

func (p *pictures) close() {
	p.viewer.close()
	p.comparer.close()
}

// extract is what a picture is compared by: all views of a flag, which are those of an upload and more.
func (p *pictures) extract(ctx context.Context, data []byte) (Extracted, error) {
	result, err := p.comparer.decode(ctx, data)
	if err != nil {
		return Extracted{}, err
	}
	return extracted(ctx, p.model, result)
}

// asUpload keeps the views that an upload is compared with.
func asUpload(e Extracted) []ViewVector {
	asked := map[imaging.View]bool{}
	for _, view := range views.Query() {
		asked[view] = true
	}
	var kept []ViewVector
	for _, v := range e.Vectors {
		if asked[v.View] {
			kept = append(kept, v)
		}
	}
	return kept
}

func (p *pictures) Compare(ctx context.Context, flagged, uploaded []byte) (console.Comparison, error) {
	out := console.Comparison{SameFile: sha256.Sum256(flagged) == sha256.Sum256(uploaded), MaxPDQ: pdq.MaxDistance}
	a, err := p.extract(ctx, flagged)
	if err != nil {
		return out, err
	}
	b, err := p.extract(ctx, uploaded)
	if err != nil {
		return out, err
	}
	near := Compare(a.Vectors, asUpload(b))
	out.Score, out.Similarity, out.View, out.PDQ = near.Score, near.Similarity, near.View, near.PDQ
	return out, nil
}

func (p *pictures) Search(ctx context.Context, data []byte, most int) (console.Nearest, error) {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return console.Nearest{}, err
	}
	asked := asUpload(picture)
	sum := sha256.Sum256(data)
	flagged, err := p.flagged(ctx, hex.EncodeToString(sum[:]), asked, most)
	if err != nil {
		return console.Nearest{}, err
	}
	near := console.Nearest{Flagged: flagged}
	if near.Allowed, err = p.allowed(ctx, hex.EncodeToString(sum[:]), asked); err != nil {
		return near, err
	}
	near.Recent, near.Hidden, err = p.recent(ctx, asked, most)
	return near, err
}

// flagged are the nearest flags by the embedding, and those that a hash names.
func (p *pictures) flagged(ctx context.Context, sum string, asked []ViewVector, most int) ([]console.NearFlag, error) {
	best := map[uuid.UUID]console.NearFlag{}
	hashes := matchdb.HashQuery{SHA256: sum}
	for _, v := range asked {
		hashes.PDQ = append(hashes.PDQ, matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality})
		hits, err := p.db.Search(ctx, p.model.Folder().Fingerprint(), matchdb.Query{Vector: v.Vector, Half: v.Half}, most)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if old, ok := best[h.FlaggedID]; !ok || h.Score > old.Score {
				best[h.FlaggedID] = console.NearFlag{Found: h, Signal: event.SignalEmbedding}
			}
		}
	}
	same, err := p.db.MatchHashes(ctx, []matchdb.HashQuery{hashes})
	if err != nil {
		return nil, err
	}
	for _, h := range same[0] {
		hit, ok := best[h.FlaggedID]
		if !ok { // the embedding finds others that are nearer, or the flag has none
			if hit, err = p.byHash(ctx, h); err != nil {
				return nil, err
			}
		}
		if hit.Signal != event.SignalExact {
			hit.Signal, hit.Bits = event.SignalPDQ, h.Distance
		}
		if h.Exact {
			hit.Signal = event.SignalExact
		}
		best[h.FlaggedID] = hit
	}
	nearest := make([]console.NearFlag, 0, len(best))
	for _, hit := range best {
		nearest = append(nearest, hit)
	}
	sort.Slice(nearest, func(i, j int) bool {
		if a, b := nearest[i].Signal == event.SignalEmbedding, nearest[j].Signal == event.SignalEmbedding; a != b {
			return b
		}
		return nearest[i].Score > nearest[j].Score
	})
	return nearest[:min(len(nearest), most)], nil
}

func (p *pictures) byHash(ctx context.Context, h matchdb.HashHit) (console.NearFlag, error) {
	flag, err := p.db.Show(ctx, h.FlaggedID.String())
	hit := hashHit(h)
	return console.NearFlag{Found: matchdb.Found{
		Hit: matchdb.Hit{
			FlaggedID: h.FlaggedID, Bank: h.Bank, View: hit.View, Similarity: hit.Similarity, Score: hit.Score, BlockAt: hit.BlockAt,
		},
		Source: flag.Source, BankEnabled: true,
	}}, err
}
