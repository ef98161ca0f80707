-- Points of interest of flagged pictures, beside their hashes: what an upload is compared with when its vector or its
-- hash is near to a flag's, and not near enough. They belong to no model.

-- +goose Up
-- A retracted picture's stay: no vector and no hash leads to them until it is restored.
CREATE TABLE flagged_keypoints (
    image_id uuid PRIMARY KEY REFERENCES flagged_image,
    points bytea NOT NULL -- as keypoint.Features is stored
);
-- Bits without pattern: compressing them costs time and saves nothing.
ALTER TABLE flagged_keypoints ALTER COLUMN points SET STORAGE EXTERNAL;

GRANT SELECT ON flagged_keypoints TO moderator_reader, moderator_curator, moderator_admin;
GRANT INSERT ON flagged_keypoints TO moderator_curator, moderator_admin;
