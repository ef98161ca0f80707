package flagctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

type compareCommand struct {
	A string `arg:"" help:"The picture that is taken as a flag." predictor:"file"`
	B string `arg:"" help:"The picture that is taken as an upload." predictor:"file"`
}

// compared is the JSON output of compare.
type compared struct {
	Model      string  `json:"model"`
	Score      float64 `json:"score"`
	Similarity float64 `json:"similarity"`
	View       string  `json:"view"` // of A
	BlockAt    float64 `json:"block_at"`
	ReviewAt   float64 `json:"review_at"`
	PDQ        int     `json:"pdq_distance"` // bits of 256 that differ, of the nearest views; -1: too little detail for PDQ
	Points     int     `json:"points"`       // inliers of geometric verification
	PointScore float64 `json:"points_score"` // score of geometric verification

	Verdict event.Verdict `json:"verdict"`
	Signal  event.Signal  `json:"signal"` // that gives the verdict
}

func (p *compareCommand) Run(ctx context.Context, c *cli) error {
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	fileA, a, err := p.extract(ctx, c, x, p.A, recognise.FlagViews())
	fileB, b, errB := p.extract(ctx, c, x, p.B, recognise.QueryViews())
	if err := errors.Join(err, errB); err != nil {
		return err
	}
	near, err := recognise.Compare(a, b)
	if err != nil {
		return err
	}
	near.SameFile = bytes.Equal(fileA, fileB)
	result := compared{
		Model: x.Folder().Name(), Score: near.Score, Similarity: near.Similarity, View: near.View, PDQ: near.PDQ,
		Points: near.Points.Points, PointScore: near.Points.Score(),
	}
	result.BlockAt, result.ReviewAt = thresholds(x.Folder())
	judged := near.Judge(result.BlockAt, &result.ReviewAt)
	result.Verdict, result.Signal = judged.Verdict, judged.Signal
	return c.print(result, "", [][]string{
		{"score", number(result.Score), result.meaning()},
		{"similarity", number(result.Similarity), "cosine of the nearest views"},
		{"view", result.View, "of " + named(p.A)},
		{"pdq", fmt.Sprint(result.PDQ), fmt.Sprintf("bits differ; blocks up to %d; -1: too little detail", pdq.MaxDistance)},
		{"keypoints", number(result.PointScore), fmt.Sprintf("%d points agree; blocks from %.2f, reviews from %.2f", result.Points, keypoint.BlockAt, keypoint.ReviewAt)},
		{"model", result.Model, fmt.Sprintf("blocks from %.4f, reviews from %.4f", result.BlockAt, result.ReviewAt)},
	})
}

func (p *compareCommand) extract(ctx context.Context, c *cli, x *recognise.Extractor, source string, wanted []imaging.View) ([]byte, recognise.Extracted, error) {
	data, err := read(ctx, source, c.MaxUploadBytes)
	if err != nil {
		return nil, recognise.Extracted{}, err
	}
	picture, err := x.Extract(ctx, data, wanted)
	if err != nil {
		return nil, picture, fmt.Errorf("%s: %w", named(source), err)
	}
	return data, picture, nil
}

// meaning returns the verdict in words.
func (r compared) meaning() string {
	switch r.Verdict {
	case event.Block:
		return "the same picture: an upload of the second would be blocked by the first"
	case event.Review:
		return "perhaps the same picture: an upload of the second would go to review"
	}
	return "different pictures: an upload of the second would be allowed"
}
