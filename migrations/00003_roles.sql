-- Who may do what. Log-in users are made by the operator and granted one of these:
--   moderator_reader   matches: reads everything but the audit log
--   moderator_curator  flags, retracts, keeps banks, registers models, reads the audit log
--   moderator_admin    and changes models' thresholds, and grants the other two

-- +goose Up
-- Roles belong to the whole cluster: another database's migration, perhaps at this moment, may have made them, or an
-- administrator where the owner of this database may not.
-- +goose StatementBegin
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['moderator_reader', 'moderator_curator', 'moderator_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
                IF role = 'moderator_admin' THEN
                    GRANT moderator_reader, moderator_curator TO moderator_admin WITH ADMIN OPTION;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by the other migration since we looked
            END;
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO moderator_reader, moderator_curator, moderator_admin', current_schema());
END $$;
-- +goose StatementEnd

GRANT SELECT ON model, bank, bank_threshold, flagged_image, flagged_embedding, schema_version
    TO moderator_reader, moderator_curator, moderator_admin;
GRANT SELECT ON audit_log TO moderator_curator, moderator_admin;

-- Column by column: the database's own record of who and when is nobody's to write.
GRANT INSERT (bank_id, sha256, source, note, created_by) ON flagged_image TO moderator_curator, moderator_admin;
GRANT UPDATE (retracted_at, retracted_by, retract_reason) ON flagged_image TO moderator_curator, moderator_admin;
GRANT INSERT ON flagged_embedding TO moderator_curator, moderator_admin;
GRANT INSERT (name), UPDATE (enabled) ON bank TO moderator_curator, moderator_admin;
GRANT INSERT, UPDATE (block_at, review_at), DELETE ON bank_threshold TO moderator_curator, moderator_admin;
GRANT UPDATE (name, block_at, review_at) ON model TO moderator_admin;

-- Functions are everyone's unless taken away.
REVOKE EXECUTE ON FUNCTION register_model, delete_retracted_embeddings, audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_model TO moderator_curator, moderator_admin;
