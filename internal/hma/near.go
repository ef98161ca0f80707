package hma

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// near is a flag near a signal.
type near struct {
	flag     uuid.UUID
	distance int     // bits of PDQ, hundredths of 1 - cosine, or 0
	score    float64 // higher is nearer, as allow-list suppression compares it
}

// nearest is how many flags a look-up of all banks by an embedding reports at most.
const nearest = 100

// search returns the flags that match the signal, in no order: within 31 bits of a PDQ hash in any turn, with the same MD5,
// or at or above their bank's block threshold, then the best of each bank. disabledToo includes disabled banks.
func (s *Server) search(ctx context.Context, q signal, disabledToo bool) ([]near, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	if q.kind == typeOwn {
		return s.searchOwn(ctx, q, disabledToo)
	}
	query := matchdb.HashQuery{MD5: q.md5}
	if q.kind == typePDQ {
		query.PDQ = turnsOf(q.hash)
	}
	match := s.db.MatchHashes
	if disabledToo {
		match = s.db.MatchHashesOfAllBanks
	}
	hits, err := match(ctx, []matchdb.HashQuery{query})
	if err != nil {
		return nil, err
	}
	best := map[uuid.UUID]near{}
	for _, h := range hits[0] {
		keepBest(best, near{h.FlaggedID, h.Distance, -float64(h.Distance)})
	}
	return slices.Collect(maps.Values(best)), nil
}

func keepBest(best map[uuid.UUID]near, n near) {
	if old, ok := best[n.flag]; !ok || n.score > old.score {
		best[n.flag] = n
	}
}

func (s *Server) ownQuery(q signal) matchdb.Query {
	return matchdb.Query{Vector: q.vector, Penalty: s.pictures.model.Folder().BackgroundPenalty(q.vector)}
}

func (s *Server) searchOwn(ctx context.Context, q signal, disabledToo bool) ([]near, error) {
	if dims := s.pictures.model.Folder().Dims(); len(q.vector) != dims {
		return nil, badRequest("invalid %s signal: it has %d dimensions, wanted %d", typeOwn, len(q.vector), dims)
	}
	query, best := s.ownQuery(q), map[uuid.UUID]near{}
	take := func(h matchdb.Hit) {
		if h.Score >= h.BlockAt {
			keepBest(best, near{h.FlaggedID, hundredths(h.Similarity), h.Score})
		}
	}
	if disabledToo {
		found, err := s.db.Search(ctx, s.pictures.fingerprint(), query, nearest)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			take(f.Hit)
		}
		return slices.Collect(maps.Values(best)), nil
	}
	hits, err := s.db.Match(ctx, s.pictures.fingerprint(), []matchdb.Query{query})
	if err != nil {
		return nil, err
	}
	for _, h := range hits[0] {
		take(h)
	}
	return slices.Collect(maps.Values(best)), nil
}

// hundredths is 1 - cosine in hundredths: clients read distances as integers.
func hundredths(cosine float64) int { return max(0, int(math.Round(100*(1-cosine)))) }

// suppress leaves out what an allowed picture is nearer to the signal than.
func (s *Server) suppress(ctx context.Context, q signal, found []near) ([]near, error) {
	if len(found) == 0 || q.kind == typeMD5 {
		return found, nil
	}
	allowed := math.Inf(-1)
	if q.kind == typePDQ {
		distance, ok, err := s.db.NearestAllowedPDQ(ctx, q.hash)
		if err != nil {
			return nil, err
		}
		if ok {
			allowed = -float64(distance)
		}
	} else {
		of, err := s.db.NearestAllowed(ctx, s.pictures.fingerprint(), []matchdb.AllowQuery{{Query: s.ownQuery(q)}})
		if err != nil {
			return nil, err
		}
		if e := of[0].Embedding; e != nil {
			allowed = e.Score
		}
	}
	return slices.DeleteFunc(found, func(n near) bool { return allowed > n.score }), nil
}

// located is a flag with its content.
type located struct {
	matchdb.Content
	distance int
}

// locate returns the active flags of the banks, all banks for none, the nearest first.
func (s *Server) locate(ctx context.Context, found []near, banks []string) ([]located, error) {
	if len(found) == 0 {
		return nil, nil
	}
	distances, flags := map[uuid.UUID]int{}, []uuid.UUID{}
	for _, n := range found {
		distances[n.flag], flags = n.distance, append(flags, n.flag)
	}
	contents, err := s.db.Contents(ctx, flags)
	if err != nil {
		return nil, err
	}
	var all []located
	for _, c := range contents {
		if len(banks) == 0 || slices.Contains(banks, c.Bank) {
			all = append(all, located{c, distances[c.Flag]})
		}
	}
	slices.SortFunc(all, func(a, b located) int { return cmp.Or(a.distance-b.distance, cmp.Compare(a.Number, b.Number)) })
	return all, nil
}

// reported is a match as look-ups report it: the distance is text.
type reported struct {
	Content  int64  `json:"bank_content_id"`
	Distance string `json:"distance"`
}

func (l located) reported() reported { return reported{l.Number, strconv.Itoa(l.distance)} }

// distanceOf compares two signals of a type, as search does with the model's own threshold.
func distanceOf(a, b signal, penalty func([]float32) float32, blockAt float64) (match bool, distance int) {
	switch a.kind {
	case typePDQ:
		distance = a.hash.Distance(b.hash)
		return distance <= pdq.MaxDistance, distance
	case typeMD5:
		if a.md5 == b.md5 {
			return true, 0
		}
		return false, 1
	}
	var cosine float64
	for i := range a.vector {
		cosine += float64(a.vector[i]) * float64(b.vector[i])
	}
	return cosine-float64(penalty(a.vector))-float64(penalty(b.vector)) >= blockAt, hundredths(cosine)
}
