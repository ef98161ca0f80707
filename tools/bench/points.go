package main

import (
	"context"

	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// fillPoints gives every flag of the library the keypoints of one drawing that is not uploaded.
func (s *servers) fillPoints(ctx context.Context) error {
	file, err := transforms.Encode(synth.Draw(1, 5, 640, 480), transforms.JPEG, 92)
	if err != nil {
		return err
	}
	picture, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	if err != nil {
		return err
	}
	points, err := recognise.Points(picture.Frames[0].Views[0].Gray, picture.Width, picture.Height, true)
	if err != nil {
		return err
	}
	stored, err := points.MarshalBinary()
	if err != nil {
		return err
	}
	return s.exec(ctx, "INSERT INTO flagged_keypoints (image_id, points) SELECT id, $1 FROM flagged_image", stored)
}

func (s *servers) emptyPoints(ctx context.Context) error {
	return s.exec(ctx, "TRUNCATE flagged_keypoints")
}

func (s *servers) exec(ctx context.Context, sql string, arguments ...any) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql, arguments...)
	return err
}
