-- Who changed what and why, and who may do what.

-- +goose Up
-- The database writes the log itself, and rows are only ever added. db_user is the login; actor and reason are what the
-- program set as moderator.actor and moderator.reason: the person it acts for, and why.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    db_user text NOT NULL, actor text, reason text,
    action text NOT NULL, table_name text NOT NULL, row_id text NOT NULL, -- insert, update, delete; a threshold's row is its bank's; audit()
    before jsonb, after jsonb
);
CREATE INDEX audit_log_row ON audit_log (table_name, row_id);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_actor ON audit_log (actor);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- audit runs as the owner, so that nobody needs the right to write to the log. Many flags of one statement have a line for each bank:
-- its row_id names flagged_image.added, and all that was inserted stays in the flags, whose later changes have lines of their own.
-- +goose StatementBegin
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor text := nullif(current_setting('moderator.actor', true), '');
    reason text := nullif(current_setting('moderator.reason', true), '');
    before jsonb; after jsonb;
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        IF (SELECT count(*) FROM (SELECT FROM added LIMIT 2) a) <> 1 THEN
            INSERT INTO audit_log (db_user, actor, reason, action, table_name, row_id, after)
                SELECT session_user, actor, reason, 'insert', TG_TABLE_NAME, 'transaction ' || a.added, jsonb_build_object('bank_id', bank_id, 'flags', count(*), 'created_at', created_at)
                FROM added a GROUP BY bank_id, a.added, created_at;
            RETURN NULL;
        END IF;
        SELECT to_jsonb(a) INTO after FROM added a;
    ELSE
        IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
        IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
    END IF;
    IF coalesce(before ->> 'exchanged', '') = 'true' OR coalesce(after ->> 'exchanged', '') = 'true' THEN -- a hash that is withdrawn is forgotten here too
        before := before - '{sha256,sha1,md5,signal_key}'::text[];
        after := after - '{sha256,sha1,md5,signal_key}'::text[];
    END IF;
    INSERT INTO audit_log (db_user, actor, reason, action, table_name, row_id, before, after)
        VALUES (session_user, actor, reason, lower(TG_OP), TG_TABLE_NAME, coalesce(after, before) ->> TG_ARGV[0], before, after);
    RETURN NULL;
END $$;
-- Privileges do not bind the owner; a trigger with this function does.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege'; END $$;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['model', 'bank', 'bank_threshold', 'flagged_image', 'allowed_image', 'quarantine'] LOOP
        EXECUTE format('CREATE TRIGGER audit AFTER %s UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION audit(%L)',
            CASE name WHEN 'flagged_image' THEN '' ELSE 'INSERT OR' END, name, CASE name WHEN 'bank_threshold' THEN 'bank_id' WHEN 'quarantine' THEN 'image_id' ELSE 'id' END);
    END LOOP;
END $$;
CREATE TRIGGER audit_added AFTER INSERT ON flagged_image REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit('id');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- The operator grants each login one of these roles:
--   moderator_reader   matches: reads everything but the audit log
--   moderator_curator  flags, retracts, keeps banks and the allow-list, registers models, reads the audit log
--   moderator_admin    all of that, changes models' thresholds, and grants the other two
-- Roles belong to the cluster: an administrator, or the migration of another database, may have created them.
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['moderator_reader', 'moderator_curator', 'moderator_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
                IF role = 'moderator_admin' THEN GRANT moderator_reader, moderator_curator TO moderator_admin WITH ADMIN OPTION; END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another migration created it just now
            END;
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO moderator_reader, moderator_curator, moderator_admin', current_schema());
END $$;
-- +goose StatementEnd

GRANT SELECT ON schema_version, model, bank, bank_threshold, threshold, flagged_image, flagged_embedding, flagged_pdq, flagged_keypoints,
    retracted_embedding, retracted_pdq, retracted_keypoints, allowed_image, allowed_embedding, allowed_pdq, quarantine TO moderator_reader, moderator_curator, moderator_admin;
GRANT SELECT ON audit_log TO moderator_curator, moderator_admin;

-- Column by column: nobody may write the database's own record of who and when.
GRANT INSERT (name, enabled, enabled_ratio), UPDATE (name, enabled, enabled_ratio, shadow, review_only, pdq_distance, pdq_verdict, false_blocks) ON bank TO moderator_curator, moderator_admin;
GRANT INSERT, UPDATE (block_at, review_at), DELETE ON bank_threshold TO moderator_curator, moderator_admin;
GRANT INSERT (id, bank_id, sha256, sha1, md5, signal_key, source, note, exchanged, created_by, metadata),
    UPDATE (retracted_at, retracted_by, retract_reason, note, disable_until) ON flagged_image TO moderator_curator, moderator_admin;
GRANT INSERT ON flagged_embedding, flagged_pdq, flagged_keypoints, allowed_embedding, allowed_pdq TO moderator_curator, moderator_admin;
-- UPDATE (note) serves updates that change nothing: the audit log gets a row when signals are added to a picture.
GRANT INSERT (sha256, source, note, created_by), UPDATE (note), DELETE ON allowed_image TO moderator_curator, moderator_admin;
GRANT INSERT (image_id, blocked) ON quarantine TO moderator_reader, moderator_admin;
GRANT UPDATE (released_at, released_by) ON quarantine TO moderator_curator, moderator_admin;
GRANT UPDATE (name, block_at, review_at) ON model TO moderator_admin;

-- Everybody may execute functions unless that is revoked.
REVOKE EXECUTE ON FUNCTION register_model, number_added, refer, delete_retracted_signals, restore_signals, index_allowed_embeddings, audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_model TO moderator_curator, moderator_admin;
