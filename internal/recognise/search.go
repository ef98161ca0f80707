package recognise

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/google/uuid"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
)

// NearFlags are the flags that are nearest to a file, as an upload of it would meet them: at most most, those with the
// gravest verdict first, then by the score. The picture has the views of an upload.
func NearFlags(ctx context.Context, db *matchdb.DB, model *embed.Folder, data []byte, picture Extracted, most int) ([]NearFlag, error) {
	best := map[uuid.UUID]NearFlag{}
	md5Sum, sha1Sum, sum := md5.Sum(data), sha1.Sum(data), sha256.Sum256(data)
	hashes := matchdb.HashQuery{SHA256: hex.EncodeToString(sum[:]), SHA1: hex.EncodeToString(sha1Sum[:]), MD5: hex.EncodeToString(md5Sum[:])}
	if !picture.Flat() { // a flat one is decided by its file alone
		for _, v := range picture.Vectors {
			for _, turned := range v.Turns {
				hashes.PDQ = append(hashes.PDQ, matchdb.PDQ{Hash: turned, Quality: v.Quality})
			}
			hits, err := db.Search(ctx, model.Fingerprint(), matchdb.Query{Vector: v.Vector, Penalty: v.Penalty}, most)
			if err != nil {
				return nil, err
			}
			for _, h := range hits {
				if old, ok := best[h.FlaggedID]; !ok || h.Score > old.Score {
					best[h.FlaggedID] = NearFlag{Found: h, PDQ: -1}
				}
			}
		}
	}
	same, err := db.MatchHashes(ctx, []matchdb.HashQuery{hashes})
	if err != nil {
		return nil, err
	}
	for _, h := range same[0] {
		hit, ok := best[h.FlaggedID]
		if !ok { // the embedding finds others that are nearer, or the flag has none
			if hit, err = byHash(ctx, db, h); err != nil {
				return nil, err
			}
		}
		if h.Exact {
			hit.SameFile = true
		} else if hit.PDQ < 0 || h.Distance < hit.PDQ {
			hit.PDQ = h.Distance
		}
		best[h.FlaggedID] = hit
	}
	if err := verifyKeypoints(ctx, db, picture, best); err != nil {
		return nil, err
	}
	flags, err := db.FlagsWithKeypoints(ctx)
	if err != nil {
		return nil, err
	}
	governed := policies{}
	if err := governed.read(ctx, db, slices.Collect(maps.Keys(best))); err != nil {
		return nil, err
	}
	for id, hit := range best {
		rate := evidence.DefaultFalseBlocks
		if own := governed[id].FalseBlocks; own != nil {
			rate = *own
		}
		thresholds := evidence.For(flags, rate)
		hit.thresholds, hit.model, hit.policy = &thresholds, model, governed[id]
		best[id] = hit
	}
	nearest := make([]NearFlag, 0, len(best))
	for _, hit := range best {
		nearest = append(nearest, hit)
	}
	slices.SortFunc(nearest, func(a, b NearFlag) int {
		return cmp.Or(gravity(b)-gravity(a), cmp.Compare(b.Score, a.Score), cmp.Compare(a.FlaggedID.String(), b.FlaggedID.String()))
	})
	return nearest[:min(len(nearest), most)], nil
}

func gravity(n NearFlag) int {
	switch n.Judge().Verdict {
	case event.Block:
		return 2
	case event.Review:
		return 1
	}
	return 0
}

func byHash(ctx context.Context, db *matchdb.DB, h matchdb.HashHit) (NearFlag, error) {
	flag, err := db.Show(ctx, h.FlaggedID.String())
	hit := hashHit(h)
	return NearFlag{PDQ: -1, Found: matchdb.Found{
		Hit: matchdb.Hit{
			FlaggedID: h.FlaggedID, Bank: h.Bank, View: hit.View, Similarity: hit.Similarity, Score: hit.Score, BlockAt: hit.BlockAt,
		},
		Source: flag.Source, BankEnabled: true, // a disabled one's hashes name nothing
	}}, err
}

// verifyKeypoints compares the keypoints of the flags found with those of the picture.
func verifyKeypoints(ctx context.Context, db *matchdb.DB, picture Extracted, best map[uuid.UUID]NearFlag) error {
	flags, err := db.Keypoints(ctx, slices.Collect(maps.Keys(best)))
	if err != nil || len(flags) == 0 || picture.Flat() {
		return err
	}
	points, err := picture.Points(false)
	if err != nil {
		return err
	}
	shown := keypoint.Prepare(points)
	g := guide{grey: picture.Grey, width: picture.Width, height: picture.Height}
	defer g.close()
	ids := slices.Collect(maps.Keys(flags))
	agreements, compared := make([]*keypoint.Agreement, len(ids)), make([]keypoint.Features, len(ids))
	for i, id := range ids {
		a := keypoint.Verify(flags[id], shown)
		if err := g.look(flags[id], &a, true); err != nil {
			return err
		}
		agreements[i], compared[i] = &a, flags[id]
	}
	keypoint.Contrast(agreements, compared)
	for i, id := range ids {
		hit := best[id]
		hit.Points, hit.flagPoints, hit.uploadPoints = *agreements[i], len(flags[id].Points), len(points.Points)
		best[id] = hit
	}
	return nil
}
