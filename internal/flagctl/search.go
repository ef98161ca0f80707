package flagctl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"

	"moderator/internal/app"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
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
		hashes := matchdb.HashQuery{SHA256: sha256Hex(data)}
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
		for _, h := range same[0] {
			if hit, ok := best[h.FlaggedID.String()]; ok {
				hit.Verdict, hit.Signal = "block", event.SignalPDQ
				if h.Exact {
					hit.Signal = event.SignalExact
				}
				best[hit.ID] = hit
			}
		}
		return s.report(c, best)
	})
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
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

type compareCommand struct {
	A string `arg:"" help:"A picture, as if it were flagged." predictor:"file"`
	B string `arg:"" help:"A picture, as if it were uploaded." predictor:"file"`
}

// compared is the answer of compare.
type compared struct {
	Model      string  `json:"model"`
	Score      float64 `json:"score"`
	Similarity float64 `json:"similarity"`
	View       string  `json:"view"` // of A
	BlockAt    float64 `json:"block_at"`
	ReviewAt   float64 `json:"review_at"`
	PDQ        int     `json:"pdq_distance"` // of 256 bits, the nearest views; -1 where there is too little detail for PDQ
	Verdict    string  `json:"verdict"`
}

func (p *compareCommand) Run(ctx context.Context, c *cli) error {
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	a, err := p.extract(ctx, c, x, p.A, true)
	b, errB := p.extract(ctx, c, x, p.B, false)
	if err := errors.Join(err, errB); err != nil {
		return err
	}
	result := compared{Model: x.Folder().Name(), PDQ: -1}
	result.BlockAt, result.ReviewAt = thresholds(x.Folder())
	for i, r := range a.Vectors {
		for j, q := range b.Vectors {
			similarity := app.Cosine(q.Vector, r.Vector)
			if score := similarity - float64(q.Half) - float64(r.Half); i+j == 0 || score > result.Score {
				result.Score, result.Similarity, result.View = score, similarity, r.Name()
			}
			distance := q.PDQ.Distance(r.PDQ)
			if min(q.Quality, r.Quality) >= pdq.MinQuality && (result.PDQ < 0 || distance < result.PDQ) {
				result.PDQ = distance
			}
		}
	}
	result.Verdict = verdictOf(result.Score, result.BlockAt, &result.ReviewAt)
	if result.PDQ >= 0 && result.PDQ <= pdq.MaxDistance {
		result.Verdict = "block"
	}
	return c.print(result, "", [][]string{
		{"score", number(result.Score), result.meaning()},
		{"similarity", number(result.Similarity), "cosine of the nearest views"},
		{"view", result.View, "of " + p.A},
		{"pdq", fmt.Sprint(result.PDQ), fmt.Sprintf("bits differ; blocks up to %d, -1 is too little detail", pdq.MaxDistance)},
		{"model", result.Model, fmt.Sprintf("blocks from %.4f, reviews from %.4f", result.BlockAt, result.ReviewAt)},
	})
}

func (p *compareCommand) extract(ctx context.Context, c *cli, x *app.Extractor, source string, flagged bool) (app.Extracted, error) {
	wanted := views.Query()
	if flagged {
		wanted = views.Flag()
	}
	data, err := read(ctx, source, c.MaxUploadBytes)
	if err != nil {
		return app.Extracted{}, err
	}
	picture, err := x.Extract(ctx, data, wanted)
	if err != nil {
		return picture, fmt.Errorf("%s: %w", source, err)
	}
	return picture, nil
}

// meaning says in words what the score is worth with this model.
func (r compared) meaning() string {
	switch r.Verdict {
	case "block":
		return "the same picture: an upload of the second would be blocked by the first"
	case "review":
		return "perhaps the same picture: an upload of the second would go to review"
	}
	return "different pictures: an upload of the second would be allowed"
}
