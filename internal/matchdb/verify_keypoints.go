package matchdb

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/keypoint"
)

// keypointCheck compares the candidates by keypoints with what geometric verification accepts.
type keypointCheck struct {
	db      *DB
	options VerifyOptions
	random  *rand.Rand
}

// keypointSample is a flag of which queries are made.
type keypointSample struct {
	id     uuid.UUID
	bank   string
	points keypoint.Features
}

// run counts the queries that verification accepts as copies of their flag, and of them those that match in its bank: the flag
// itself is among the candidates, or another that is accepted, such as the same picture flagged twice.
func (c *keypointCheck) run(ctx context.Context) (Agreement, error) {
	var a Agreement
	flags, err := c.draw(ctx, &a.Rows)
	if err != nil || len(flags) == 0 {
		return a, err
	}
	uploads := make([]keypoint.Upload, c.options.Sample)
	for i := range uploads {
		uploads[i] = edited(c.random, flags[i%len(flags)].points, flags[c.random.IntN(len(flags))].points)
	}
	a.Queries = len(uploads)
	missed := make([]bool, len(uploads))
	expected := make([]bool, len(uploads))
	err = inParts(ctx, len(uploads), 32, func(ctx context.Context, from, to int) error {
		qs := make([]KeypointQuery, to-from)
		for i := range qs {
			qs[i] = KeypointQuery{Upload: uploads[from+i], Most: c.options.Candidates}
		}
		found, err := c.db.KeypointCandidates(ctx, qs)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			flag := flags[i%len(flags)]
			if keypoint.Verify(flag.points, uploads[i]).Score() < keypoint.BlockAt {
				continue
			}
			expected[i] = true
			missed[i] = !slices.ContainsFunc(found[i-from], func(k KeypointCandidate) bool {
				return k.FlaggedID == flag.id || k.Bank == flag.bank && keypoint.Verify(k.Points, uploads[i], k.Variant).Score() >= keypoint.BlockAt
			})
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	for i := range uploads {
		if !expected[i] {
			continue
		}
		if err := c.judge(ctx, &a, flags[i%len(flags)], uploads[i], missed[i]); err != nil {
			return a, err
		}
	}
	return a, nil
}

// draw returns a sample of the flags of enabled banks, and counts all.
func (c *keypointCheck) draw(ctx context.Context, all *int64) ([]keypointSample, error) {
	const from = "JOIN flagged_image i ON i.id = k.image_id JOIN bank b ON b.id = i.bank_id AND b.enabled"
	if err := c.db.pool.QueryRow(ctx, "SELECT count(*) FROM flagged_keypoints k "+from).Scan(all); err != nil {
		return nil, err
	}
	rows, err := c.db.pool.Query(ctx, fmt.Sprintf("SELECT k.image_id, b.name, k.points FROM flagged_keypoints k TABLESAMPLE BERNOULLI (%g) REPEATABLE (%d) %s",
		sampled(c.options.Sample, *all), c.options.Seed, from))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s keypointSample, err error) {
		var stored []byte
		if err := row.Scan(&s.id, &s.bank, &stored); err != nil {
			return s, err
		}
		if err := s.points.UnmarshalBinary(stored); err != nil {
			return s, fmt.Errorf("flag %s: %w", s.id, err)
		}
		return s, nil
	})
}

// judge counts one query that verification accepts.
func (c *keypointCheck) judge(ctx context.Context, a *Agreement, flag keypointSample, upload keypoint.Upload, missed bool) error {
	if !missed {
		a.Expected++
		a.Found++
		return nil
	}
	var there bool // it may have been retracted, or its bank disabled, since the sample was drawn
	err := c.db.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM flagged_keypoints k JOIN flagged_image i ON i.id = k.image_id
		JOIN bank b ON b.id = i.bank_id AND b.enabled WHERE k.image_id = $1)`, flag.id).Scan(&there)
	if err != nil || !there {
		return err
	}
	a.Expected++
	agreement := keypoint.Verify(flag.points, upload)
	if over := agreement.Score() - keypoint.BlockAt; a.Worst == nil || over > a.Worst.Over {
		a.Worst = &Miss{FlaggedID: flag.id, Bank: flag.bank, View: agreement.Variant.View(), Score: agreement.Score(), Over: over}
	}
	return nil
}

// edited is what an upload shows of a flag: a part of it, turned, zoomed, one time in three mirrored or in the negative, its
// descriptors changed in up to a sixth of their bits, beside keypoints of another picture.
func edited(r *rand.Rand, flag, other keypoint.Features) keypoint.Upload {
	shown := keypoint.Prepare(flag)[max(0, r.IntN(6)-3)]
	sin, cos := math.Sincos(2 * math.Pi * r.Float64())
	zoom := 0.5 + 0.7*r.Float64()
	width := float32(shown.Width) * (0.5 + 0.5*r.Float32())
	left := (float32(shown.Width) - width) * r.Float32()
	f := keypoint.Features{Width: keypoint.Side, Height: keypoint.Side, Finest: flag.Finest}
	for _, p := range shown.Points {
		if p.X < left || p.X > left+width {
			continue
		}
		x, y := float64(p.X)-float64(shown.Width)/2, float64(p.Y)-float64(shown.Height)/2
		p.X = float32(keypoint.Side/2+zoom*(cos*x-sin*y)) + float32(r.NormFloat64())
		p.Y = float32(keypoint.Side/2+zoom*(sin*x+cos*y)) + float32(r.NormFloat64())
		p.Scale *= float32(zoom * math.Exp2(0.2*r.NormFloat64()))
		if p.Scale < f.Finest {
			continue
		}
		p.Angle += float32(math.Atan2(sin, cos) + 0.1*r.NormFloat64())
		for range r.IntN(20) {
			b := r.IntN(128)
			p.Bits[b/64] ^= 1 << (b % 64)
		}
		f.Points = append(f.Points, p)
	}
	for _, p := range other.Points[:len(other.Points)/2] { // anywhere, so that the upload is no copy of it
		p.X, p.Y = r.Float32()*keypoint.Side, r.Float32()*keypoint.Side
		f.Points = append(f.Points, p)
	}
	return keypoint.Prepare(f)
}
