package flagctl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type searchCommand struct {
	Limit   int    `short:"n" help:"How many of the nearest flags to show." default:"5"`
	Picture string `arg:"" help:"A file or URL; - is standard input." predictor:"file"`
}

// found is one flag near the picture.
type found struct {
	ID         string        `json:"id"`
	Bank       string        `json:"bank"`
	View       string        `json:"view"`
	Similarity float64       `json:"similarity"`
	Score      float64       `json:"score"`
	Points     int           `json:"points"`       // inliers of geometric verification
	PointScore float64       `json:"points_score"` // score of geometric verification
	Verdict    event.Verdict `json:"verdict"`      // of an upload of the picture, from this flag alone
	Signal     event.Signal  `json:"signal"`       // that gives the verdict
	// Probability that the picture shows the flag, by all signals; it decides in banks without a threshold of their own.
	Probability float64 `json:"probability"`
	Source      string  `json:"source"`
}

func (s *searchCommand) Run(ctx context.Context, c *cli) error {
	return c.withLibraryAndModel(ctx, func(db *matchdb.DB, x *recognise.Extractor) error {
		data, err := read(ctx, s.Picture, c.MaxUploadBytes)
		if err != nil {
			return err
		}
		picture, err := x.Extract(ctx, data, recognise.QueryViews())
		if err != nil {
			return err
		}
		near, err := recognise.NearFlags(ctx, db, x.Folder(), data, picture, s.Limit)
		if err != nil {
			return err
		}
		nearest, rows := make([]found, len(near)), make([][]string, len(near))
		for i, n := range near {
			judged := n.Judge()
			nearest[i] = found{
				ID: n.FlaggedID.String(), Bank: n.Bank, View: n.View, Similarity: n.Similarity, Score: n.Score,
				Points: n.Points.Points, PointScore: n.Points.Score(), Verdict: judged.Verdict, Signal: judged.Signal, Source: n.Source,
				Probability: n.Comparison().Weighed().Probability,
			}
			rows[i] = []string{
				string(judged.Verdict), string(judged.Signal), number(n.Score), number(n.Similarity), number(n.Points.Score()),
				n.Bank, n.View, n.FlaggedID.String(), n.Source,
			}
		}
		if err := c.print(nearest, "VERDICT\tSIGNAL\tSCORE\tSIMILARITY\tPOINTS\tBANK\tVIEW\tID\tSOURCE", rows); err != nil {
			return err
		}
		if len(nearest) == 0 && c.Output == "table" {
			fmt.Fprintln(c.stderr, "no flag is near: `flagctl add picture.jpg` flags a picture")
		}
		return nil
	})
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
