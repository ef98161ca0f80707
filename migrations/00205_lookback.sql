-- Look-back: recent uploads, kept for as long as --lookback says and compared with new flags.

-- +goose Up
-- An upload as its decision names it, which may contain what jsonb refuses. day is that of the decision, in UTC. stored is when
-- the stream stored the message, in nanoseconds since 1970: a stream that is made anew gives its sequence numbers again.
CREATE TABLE recent_upload (
    day date NOT NULL, stream text NOT NULL, sequence bigint NOT NULL, stored bigint NOT NULL DEFAULT 0,
    sha256 bytea NOT NULL, upload json NOT NULL, PRIMARY KEY (day, stream, sequence, stored)
) PARTITION BY RANGE (day);

-- The views of an upload: embedding is the query [q, 1]; pdq is NULL where the picture has too little detail. There is no
-- index, as a row is written for each upload and read only when a flag is new.
CREATE TABLE recent_view (
    day date NOT NULL, stream text NOT NULL, sequence bigint NOT NULL, stored bigint NOT NULL DEFAULT 0,
    number int NOT NULL, -- of the view among the upload's
    model_id int NOT NULL, penalty real NOT NULL, embedding halfvec NOT NULL, pdq bit(256)
) PARTITION BY RANGE (day);
ALTER TABLE recent_view ALTER COLUMN embedding SET STORAGE PLAIN;

-- Decisions that look-backs published. A look-back may be repeated when the stream no longer knows their message ids.
CREATE TABLE recent_found (
    day date NOT NULL, stream text NOT NULL, sequence bigint NOT NULL, stored bigint NOT NULL DEFAULT 0,
    image_id uuid NOT NULL, PRIMARY KEY (day, stream, sequence, stored, image_id) -- the flag that stops the upload
);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- keep_recent creates the partitions of today and tomorrow and drops those older than days. It runs as the owner, so that
-- moderators need no right to create or drop tables. A partition that a look-back reads is dropped by a later call. Yesterday's is kept.
-- +goose StatementBegin
CREATE FUNCTION keep_recent(days int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    parent text; part text;
BEGIN
    IF days < 1 THEN RAISE EXCEPTION 'recent uploads are to be kept for % days, wanted 1 or more', days USING ERRCODE = 'invalid_parameter_value'; END IF;
    PERFORM pg_advisory_xact_lock('recent_upload'::regclass::oid::bigint);
    FOREACH parent IN ARRAY ARRAY['recent_upload', 'recent_view'] LOOP
        FOR ahead IN 0..1 LOOP
            part := parent || '_' || to_char(today + ahead, 'YYYYMMDD');
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, today + ahead, today + ahead + 1);
            END IF;
        END LOOP;
    END LOOP;
    PERFORM set_config('lock_timeout', '1s', true);
    FOREACH parent IN ARRAY ARRAY['recent_upload', 'recent_view'] LOOP
        FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits
                    WHERE inhparent = parent::regclass AND right(inhrelid::regclass::text, 8) < to_char(today - days, 'YYYYMMDD') LOOP
            BEGIN EXECUTE format('DROP TABLE %s', part); EXCEPTION WHEN lock_not_available THEN NULL; END;
        END LOOP;
    END LOOP;
    DELETE FROM recent_found f WHERE f.day < today - days AND to_regclass('recent_upload_' || to_char(f.day, 'YYYYMMDD')) IS NULL;
END $$;
-- +goose StatementEnd

GRANT SELECT ON recent_upload, recent_view, recent_found TO moderator_curator, moderator_admin;
GRANT INSERT ON recent_upload, recent_view TO moderator_reader, moderator_admin;
GRANT INSERT ON recent_found TO moderator_curator, moderator_admin;
GRANT SELECT (day, stream, sequence, stored) ON recent_upload TO moderator_reader; -- ON CONFLICT and RETURNING read these
REVOKE EXECUTE ON FUNCTION keep_recent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_recent TO moderator_reader, moderator_admin;
