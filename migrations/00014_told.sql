-- What look-backs have published, as the stream forgets a decision's id after its duplicate window and a look-back may be repeated
-- for as long as uploads are kept; and what the audit log is told of.

-- +goose Up
-- With the day, as a stream that is made anew counts its uploads from one again.
CREATE TABLE recent_found (
    day date NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    image_id uuid NOT NULL, -- the flag that stops the upload
    PRIMARY KEY (day, stream, sequence, image_id)
);
GRANT SELECT, INSERT ON recent_found TO moderator_curator, moderator_admin;

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- As it was, and what was found of a day goes with the day.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_recent(days int) RETURNS void
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
    DELETE FROM recent_found f WHERE f.day < today - days AND to_regclass('recent_upload_' || to_char(f.day, 'YYYYMMDD')) IS NULL;
END $$;
-- +goose StatementEnd

-- An update that changes nothing is how the audit log hears of signals that are added to a picture. Of flags curators may update
-- retract_reason already.
GRANT UPDATE (note) ON allowed_image TO moderator_curator, moderator_admin;
