-- Uploads that are kept for look-backs by the message: a sequence number comes again where the stream is made anew or put back to
-- an earlier copy, and the upload that had it before must not hide the new one.

-- +goose Up
-- When the stream stored the message, in nanoseconds since 1970; 0 of what was kept before.
ALTER TABLE recent_upload ADD COLUMN stored bigint NOT NULL DEFAULT 0;
ALTER TABLE recent_view ADD COLUMN stored bigint NOT NULL DEFAULT 0;
ALTER TABLE recent_found ADD COLUMN stored bigint NOT NULL DEFAULT 0;
ALTER TABLE recent_upload DROP CONSTRAINT recent_upload_pkey, ADD PRIMARY KEY (day, stream, sequence, stored);
ALTER TABLE recent_found DROP CONSTRAINT recent_found_pkey, ADD PRIMARY KEY (day, stream, sequence, stored, image_id);
GRANT SELECT (stored) ON recent_upload TO moderator_reader;
