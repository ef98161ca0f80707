package flagctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/evidence"
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

	// By evidence, of a model with calibrated thresholds: how probable a copy is, and from where on a library of so many flags blocks.
	Probability *float64       `json:"probability,omitempty"`
	BlockFrom   *float64       `json:"block_probability,omitempty"`
	ReviewFrom  *float64       `json:"review_probability,omitempty"`
	Terms       []comparedTerm `json:"terms,omitempty"`
}

// comparedTerm is a part of the log-odds of the probability.
type comparedTerm struct {
	Name    string  `json:"name"`
	LogOdds float64 `json:"log_odds"`
}

// comparedAmong is the size of the library that compare, which reads none, gives the thresholds of.
const comparedAmong = 10_000

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
	rows := result.weigh(&near, x.Folder())
	judged := near.Judge(result.BlockAt, &result.ReviewAt)
	result.Verdict, result.Signal = judged.Verdict, judged.Signal
	return c.print(result, "", append([][]string{
		{"score", number(result.Score), result.meaning()},
		{"similarity", number(result.Similarity), "cosine of the nearest views"},
		{"view", result.View, "of " + named(p.A)},
		{"pdq", fmt.Sprint(result.PDQ), fmt.Sprintf("bits differ; blocks up to %d; -1: too little detail", pdq.MaxDistance)},
		{"keypoints", number(result.PointScore), fmt.Sprintf("%d points agree; blocks from %.2f, reviews from %.2f", result.Points, keypoint.BlockAt, keypoint.ReviewAt)},
		{"model", result.Model, fmt.Sprintf("blocks from %.4f, reviews from %.4f", result.BlockAt, result.ReviewAt)},
	}, rows...))
}

// weigh fills in what the evidence comes to, and returns its rows, where the model's thresholds are calibrated.
func (r *compared) weigh(near *recognise.Comparison, folder *embed.Folder) (rows [][]string) {
	if _, _, calibrated := folder.Thresholds(); !calibrated {
		return nil
	}
	t := evidence.For(comparedAmong, evidence.DefaultFalseBlocks)
	near.Thresholds, near.Model = &t, folder
	w := near.Weighed()
	r.Probability, r.BlockFrom, r.ReviewFrom = &w.Probability, &w.BlockAt, &w.ReviewAt
	rows = [][]string{{"probability", number(w.Probability), fmt.Sprintf("by all of the above; among %d flags it blocks from %.2f, reviews from %.2f", comparedAmong, w.BlockAt, w.ReviewAt)}}
	for _, part := range evidence.Parts(near.Evidence()) {
		r.Terms = append(r.Terms, comparedTerm{part.Name, part.Amount})
		rows = append(rows, []string{"", fmt.Sprintf("%+.2f", part.Amount), part.Name})
	}
	return rows
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
