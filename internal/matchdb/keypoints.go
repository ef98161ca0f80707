package matchdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"moderator/internal/keypoint"
)

// Keypoints returns the points of those of the flags that have any.
func (db *DB) Keypoints(ctx context.Context, flags []uuid.UUID) (map[uuid.UUID]keypoint.Features, error) {
	found := make(map[uuid.UUID]keypoint.Features, len(flags))
	rows, err := db.matching.Query(ctx, "SELECT image_id, points FROM flagged_keypoints WHERE image_id = ANY ($1)", flags)
	if err != nil {
		return nil, fmt.Errorf("points of flags: %w", err)
	}
	var id uuid.UUID
	var stored []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &stored}, func() error {
		var f keypoint.Features
		if err := f.UnmarshalBinary(stored); err != nil {
			return fmt.Errorf("flag %s: %w", id, err)
		}
		found[id] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("points of flags: %w", err)
	}
	return found, nil
}

// insertKeypoints stores the points of a picture, where it has any that could ever agree with another's.
func insertKeypoints(ctx context.Context, tx pgx.Tx, image uuid.UUID, f keypoint.Features) error {
	if len(f.Points) < keypoint.LeastPoints {
		return nil
	}
	stored, err := f.MarshalBinary()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO flagged_keypoints (image_id, points) VALUES ($1, $2) ON CONFLICT DO NOTHING", image, stored)
	return err
}
