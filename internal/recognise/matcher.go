package recognise

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// Matcher searches the library for the flags that an upload resembles, by each signal.
type Matcher struct {
	db          *matchdb.DB
	models      []judgingModel
	falseBlocks float64 // of all uploads, at most
	candidates  int     // flags of each signal and model that are verified geometrically
}

// judgingModel is a model that uploads are judged by, with its name in decisions.
type judgingModel struct {
	*embed.Folder
	info event.ModelInfo
}

// NewMatcher returns a Matcher by the models of folders, the first of which decisions name. candidates is how many flags of each
// signal and model are verified geometrically; 0: none. falseBlocks is the rate of false blocks, of all uploads, that evidence is weighed for.
func NewMatcher(db *matchdb.DB, folders []*embed.Folder, candidates int, falseBlocks float64) Matcher {
	return Matcher{db: db, models: judgingModels(folders), candidates: candidates, falseBlocks: falseBlocks}
}

func judgingModels(folders []*embed.Folder) []judgingModel {
	var all []judgingModel
	for _, f := range folders {
		all = append(all, judgingModel{f, event.ModelInfo{Name: f.Name(), Fingerprint: f.Fingerprint()}})
	}
	return all
}

// Match implements consumer.Matcher.
func (m Matcher) Match(ctx context.Context, uploads []feature.Query) ([][]verdict.Hit, error) {
	vectors, hashes := m.queries(uploads)
	near := make([][][]matchdb.Hit, len(m.models))  // by model, and by view of all uploads
	nearest := make([][][]uuid.UUID, len(m.models)) // likewise
	var same [][]matchdb.HashHit
	all, during := errgroup.WithContext(ctx)
	for i, model := range m.models {
		all.Go(func() (err error) {
			near[i], nearest[i], err = m.db.MatchNear(during, model.Fingerprint(), vectors[i])
			return err
		})
	}
	all.Go(func() (err error) {
		if err := m.addSums(during, uploads, hashes); err != nil {
			return err
		}
		same, err = m.db.MatchHashes(during, hashes)
		return err
	})
	if err := all.Wait(); err != nil {
		return nil, err
	}
	hits := make([][]verdict.Hit, len(uploads))
	flags := make([][]uuid.UUID, len(uploads)) // that are nearest by any model
	for i, u := range uploads {
		_, of := hashQueries(u.Views)
		for _, h := range same[i] {
			hit := hashHit(h)
			if !h.Exact {
				hit.Query, hit.Turn, hit.View = of[h.Query].view, of[h.Query].turn, turnedView(h.View, of[h.Query].turn)
			}
			hits[i] = append(hits[i], hit)
		}
		for k := range m.models {
			for n := range u.Views {
				for _, h := range near[k][n] {
					hit := nearHit(h, &m.models[k].info)
					hit.Query = n
					hits[i] = append(hits[i], hit)
				}
				flags[i] = append(flags[i], nearest[k][n]...)
			}
			near[k], nearest[k] = near[k][len(u.Views):], nearest[k][len(u.Views):]
		}
	}
	governed := policies{}
	if err := governed.apply(ctx, m.db, hits...); err != nil {
		return nil, err
	}
	if err := m.suppress(ctx, uploads, vectors, hits); err != nil {
		return nil, err
	}
	v := &verification{Matcher: m, uploads: uploads, vectors: vectors, hits: hits, nearest: flags, found: map[pair]verified{}}
	confirmed, err := v.confirm(ctx, governed)
	if err != nil {
		return nil, err
	}
	if err := m.suppress(ctx, uploads, vectors, confirmed); err != nil {
		return nil, err
	}
	for i := range hits {
		hits[i] = slices.DeleteFunc(hits[i], m.isCandidateOnly)
		hits[i] = append(hits[i], confirmed[i]...)
	}
	return hits, nil
}

// isCandidateOnly reports whether a hit is no match and serves geometric verification alone. Of an upload that nothing matches the
// decision names what is nearest by the first model.
func (m Matcher) isCandidateOnly(h verdict.Hit) bool {
	return !h.Reached() && (h.Signal == event.SignalPDQ || h.Model != nil && h.Model != &m.models[0].info)
}

// queries are what each signal searches by: for each model a vector of each view, one upload after the
// other.
func (m Matcher) queries(uploads []feature.Query) (vectors [][]matchdb.Query, hashes []matchdb.HashQuery) {
	vectors = make([][]matchdb.Query, len(m.models))
	plain := make([][][]float32, len(m.models)) // the vectors alone
	for _, u := range uploads {
		h := matchdb.HashQuery{SHA256: u.SHA256}
		for _, v := range u.Views {
			for i := range m.models {
				vectors[i] = append(vectors[i], matchdb.Query{Vector: v.Vectors[i]})
				plain[i] = append(plain[i], v.Vectors[i])
			}
		}
		h.PDQ, _ = hashQueries(u.Views)
		hashes = append(hashes, h)
	}
	for i, model := range m.models {
		for k, penalty := range model.BackgroundPenalties(plain[i]) {
			vectors[i][k].Penalty = penalty
		}
	}
	return vectors, hashes
}

// addSums adds the files' SHA-1 and MD5 where there are flags that are known by one alone, which lists bring: each takes a large
// file milliseconds.
func (m Matcher) addSums(ctx context.Context, uploads []feature.Query, hashes []matchdb.HashQuery) error {
	bySHA1, byMD5, err := m.db.KnownSums(ctx)
	if err != nil {
		return err
	}
	for i, u := range uploads {
		if bySHA1 {
			sum := sha1.Sum(u.File)
			hashes[i].SHA1 = hex.EncodeToString(sum[:])
		}
		if byMD5 {
			sum := md5.Sum(u.File)
			hashes[i].MD5 = hex.EncodeToString(sum[:])
		}
	}
	return nil
}

func nearHit(h matchdb.Hit, model *event.ModelInfo) verdict.Hit {
	return verdict.Hit{
		Signal: event.SignalEmbedding, FlaggedID: h.FlaggedID.String(), Bank: h.Bank, View: h.View,
		Similarity: h.Similarity, Score: h.Score, BlockAt: h.BlockAt, ReviewAt: h.ReviewAt,
		Model: model,
	}
}

// hashHit is a match by itself: its score is the share of equal bits, and its threshold that of PDQ's distance.
func hashHit(h matchdb.HashHit) verdict.Hit {
	hit := verdict.Hit{FlaggedID: h.FlaggedID.String(), Bank: h.Bank, View: h.View, Query: h.Query}
	if h.Exact {
		hit.Signal, hit.View, hit.Similarity, hit.BlockAt = event.SignalExact, string(imaging.ViewOriginal), 1, 1
	} else {
		hit.Signal, hit.Similarity, hit.BlockAt = event.SignalPDQ, equalBits(h.Distance), equalBits(pdq.MaxDistance)
	}
	hit.Score = hit.Similarity
	return hit
}

func equalBits(distance int) float64 { return 1 - float64(distance)/pdq.Bits }
