package flagctl

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"

	"github.com/google/uuid"

	"moderator/internal/app"
	"moderator/internal/event"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/views"
)

type searchCommand struct {
	Limit   int    `short:"n" help:"So many of the nearest." default:"5"`
	Picture string `arg:"" help:"A file or URL." predictor:"file"`
}

// found is one flagged picture near the picture that was searched for.
type found struct {
	ID         string  `json:"id"`
	Bank       string  `json:"bank"`
	View       string  `json:"view"`
	Similarity float64 `json:"similarity"`
	Score      float64 `json:"score"`
	Verdict    string  `json:"verdict"` // what an upload of the picture would get from this flag alone
	Source     string  `json:"source"`

	Signal event.Signal `json:"signal"` // that the verdict follows from
}

func (s *searchCommand) Run(ctx context.Context, c *cli) error {
	return c.withLibraryAndModel(ctx, func(db *matchdb.DB, x *app.Extractor) error {
		data, err := read(ctx, s.Picture, c.MaxUploadBytes)
		if err != nil {
			return err
		}
		picture, err := x.Extract(ctx, data, views.Query())
		if err != nil {
			return err
		}
		best := map[string]found{}
		hashes := matchdb.HashQuery{SHA256: sha256Hex(data), MD5: md5Hex(data)}
		for _, v := range picture.Vectors {
			hashes.PDQ = append(hashes.PDQ, matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality})
			hits, err := db.Search(ctx, x.Folder().Fingerprint(), matchdb.Query{Vector: v.Vector, Half: v.Half}, s.Limit)
			if err != nil {
				return err
			}
			for _, h := range hits {
				hit := found{
					ID: h.FlaggedID.String(), Bank: h.Bank, View: h.View, Similarity: h.Similarity, Score: h.Score,
					Verdict: verdictOf(h.Score, h.BlockAt, h.ReviewAt), Signal: event.SignalEmbedding, Source: h.Source,
				}
				if old, ok := best[hit.ID]; !ok || hit.Score > old.Score {
					best[hit.ID] = hit
				}
			}
		}
		same, err := db.MatchHashes(ctx, []matchdb.HashQuery{hashes})
		if err != nil {
			return err
		}
		if err := lookCloser(ctx, db, picture, best); err != nil {
			return err
		}
		for _, h := range same[0] {
			hit, ok := best[h.FlaggedID.String()]
			if !ok { // far by its vector, or of a list of hashes and without one
				flag, err := db.Show(ctx, h.FlaggedID.String())
				if err != nil {
					return err
				}
				hit = found{ID: flag.ID.String(), Bank: h.Bank, View: h.View, Source: flag.Source}
			}
			hit.Verdict = "block"
			if h.Exact {
				hit.Signal = event.SignalExact
			} else if hit.Signal != event.SignalExact {
				hit.Signal = event.SignalPDQ
			}
			best[hit.ID] = hit
		}
		return s.report(c, best)
	})
}

// lookCloser gives those of the found flags that the picture shows their verdict.
func lookCloser(ctx context.Context, db *matchdb.DB, picture app.Extracted, best map[string]found) error {
	points, err := picture.Points(false)
	if err != nil {
		return err
	}
	var ids []uuid.UUID
	for id := range best {
		ids = append(ids, uuid.MustParse(id))
	}
	flags, err := db.Keypoints(ctx, ids)
	if err != nil {
		return err
	}
	shown := keypoint.Prepare(points)
	for id, flag := range flags {
		hit := best[id.String()]
		if a := keypoint.Verify(flag, shown); a.Score() >= keypoint.ReviewAt && hit.Verdict != "block" {
			hit.Verdict, hit.Signal = pointsVerdict(a), event.SignalKeypoints
			best[hit.ID] = hit
		}
	}
	return nil
}

// pointsVerdict is that of points that agree.
func pointsVerdict(a keypoint.Agreement) string {
	reviewAt := keypoint.ReviewAt
	return verdictOf(a.Score(), keypoint.BlockAt, &reviewAt)
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func md5Hex(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func (s *searchCommand) report(c *cli, best map[string]found) error {
	nearest := make([]found, 0, len(best))
	for _, hit := range best {
		nearest = append(nearest, hit)
	}
	sort.Slice(nearest, func(i, j int) bool {
		if nearest[i].Score != nearest[j].Score {
			return nearest[i].Score > nearest[j].Score
		}
		return nearest[i].ID < nearest[j].ID
	})
	nearest = nearest[:min(len(nearest), s.Limit)]
	rows := make([][]string, len(nearest))
	for i, hit := range nearest {
		rows[i] = []string{hit.Verdict, string(hit.Signal), number(hit.Score), number(hit.Similarity), hit.Bank, hit.View, hit.ID, hit.Source}
	}
	if err := c.print(nearest, "VERDICT\tSIGNAL\tSCORE\tSIMILARITY\tBANK\tVIEW\tID\tSOURCE", rows); err != nil {
		return err
	}
	if len(nearest) == 0 && c.Output == "table" {
		fmt.Fprintln(c.stderr, "nothing is flagged: `flagctl add picture.jpg` flags one")
	}
	return nil
}

func verdictOf(score, blockAt float64, reviewAt *float64) string {
	switch {
	case score >= blockAt:
		return "block"
	case reviewAt != nil && score >= *reviewAt:
		return "review"
	}
	return "allow"
}
