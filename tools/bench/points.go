package main

import (
	"context"
	"math/rand/v2"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

const (
	poolPictures = 60
	poolSeed     = 13 // no picture of it is uploaded
	poolWidth    = 480
	poolHeight   = 360
	mostChanged  = 24 // bits of a point
)

// pointPool is the keypoints of drawn pictures. Points are alike from picture to picture; random bits would not be.
type pointPool struct {
	width, height int // of the plane
	points        []keypoint.Point
}

func drawPointPool() (*pointPool, error) {
	pool := &pointPool{}
	for i := range poolPictures {
		f, err := pointsOf(synthFile(poolSeed, i, poolWidth, poolHeight))
		if err != nil {
			return nil, err
		}
		pool.width, pool.height = f.Width, f.Height
		pool.points = append(pool.points, f.Points...)
	}
	return pool, nil
}

// pointsOf are the points that the picture is stored with.
func pointsOf(file []byte, err error) (keypoint.Features, error) {
	if err != nil {
		return keypoint.Features{}, err
	}
	picture, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	if err != nil {
		return keypoint.Features{}, err
	}
	return recognise.Points(picture.Frames[0].Views[0].Gray, picture.Width, picture.Height, true)
}

func synthFile(seed uint64, i, width, height int) ([]byte, error) {
	return transforms.Encode(synth.Draw(seed, i, width, height), transforms.JPEG, 92)
}

// flag draws the points of a flag: points of the pool with some bits changed, in other places.
func (p *pointPool) flag(random *rand.Rand) keypoint.Features {
	f := keypoint.Features{Width: p.width, Height: p.height, Points: make([]keypoint.Point, keypoint.FlagPoints)}
	for i := range f.Points {
		point := p.points[random.IntN(len(p.points))]
		for range random.IntN(mostChanged) {
			bit := random.IntN(128)
			point.Bits[bit/64] ^= 1 << (bit % 64)
		}
		point.X, point.Y = random.Float32()*float32(p.width-1), random.Float32()*float32(p.height-1)
		f.Points[i] = point
	}
	return f
}

// fillPoints gives every flag of the library keypoints.
func (s *servers) fillPoints(ctx context.Context) error {
	pool, err := drawPointPool()
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT id FROM flagged_image")
	if err != nil {
		return err
	}
	images, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(poolSeed, 1))
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"flagged_keypoints"}, []string{"image_id", "points"},
		pgx.CopyFromSlice(len(images), func(i int) ([]any, error) {
			points, err := pool.flag(random).MarshalBinary()
			return []any{images[i], points}, err
		}))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE) flagged_keypoints")
	return err
}

func (s *servers) exec(ctx context.Context, sql string) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}
