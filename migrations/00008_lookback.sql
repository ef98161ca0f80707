-- What recent uploads looked like, for as long as --lookback says, so that a new flag can be held against them.

-- +goose Up
-- An upload as its decision names it, which may hold what jsonb refuses. The day is that of the decision, in UTC.
CREATE TABLE recent_upload (
    day date NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    sha256 bytea NOT NULL,
    upload json NOT NULL,
    PRIMARY KEY (day, stream, sequence)
) PARTITION BY RANGE (day);

-- Its views as they were asked for: embedding is [q, 1], pdq is NULL where there is too little detail for it. Nothing is
-- indexed, as a row is written for each upload and read when a flag is new.
CREATE TABLE recent_view (
    day date NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    number int NOT NULL, -- of the view among the upload's
    model_id int NOT NULL,
    penalty real NOT NULL,
    embedding halfvec NOT NULL,
    pdq bit(256)
) PARTITION BY RANGE (day);
ALTER TABLE recent_view ALTER COLUMN embedding SET STORAGE PLAIN;

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- keep_recent makes the partitions of today and tomorrow and drops those that are older than so many days. It runs as the
-- owner, so that moderators need no right to make or drop tables. Any number of them may call it at once; a look-back that
-- reads what is to be dropped leaves that to a later call. What is from yesterday stays, whatever is asked for.
-- +goose StatementBegin
CREATE FUNCTION keep_recent(days int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    parent text;
    part text;
BEGIN
    IF days < 1 THEN
        RAISE EXCEPTION 'recent uploads are to be kept for % days, wanted 1 or more', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
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
            BEGIN
                EXECUTE format('DROP TABLE %s', part);
            EXCEPTION WHEN lock_not_available THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd

GRANT SELECT ON recent_upload, recent_view TO moderator_curator, moderator_admin;
GRANT INSERT ON recent_upload, recent_view TO moderator_reader, moderator_admin;
-- ON CONFLICT and RETURNING look at these.
GRANT SELECT (day, stream, sequence) ON recent_upload TO moderator_reader;
REVOKE EXECUTE ON FUNCTION keep_recent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_recent TO moderator_reader, moderator_admin;
