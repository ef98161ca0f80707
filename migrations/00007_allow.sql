-- The allow-list, why each change was made, and retractions that can be undone.

-- +goose Up
-- A picture that was blocked and is innocent: uploads nearer to it than to a flag are not blocked by that flag.
CREATE TABLE allowed_image (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    source text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    created_user text NOT NULL DEFAULT session_user
);

-- As flagged_embedding, with an index a model. Matching asks here only for uploads that a flag is near to, and a row that
-- the index misses is an upload blocked, which somebody sees: partitions and proofs are not worth their while.
CREATE TABLE allowed_embedding (
    model_id int NOT NULL REFERENCES model,
    image_id uuid NOT NULL REFERENCES allowed_image ON DELETE CASCADE,
    view text NOT NULL,
    penalty real NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (image_id, model_id, view)
);
ALTER TABLE allowed_embedding ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE TABLE allowed_pdq (
    image_id uuid NOT NULL REFERENCES allowed_image ON DELETE CASCADE,
    view text NOT NULL,
    hash bit(256) NOT NULL,
    PRIMARY KEY (image_id, view)
);
CREATE INDEX allowed_pdq_hnsw ON allowed_pdq USING hnsw (hash bit_hamming_ops) WITH (m = 16, ef_construction = 128);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- +goose StatementBegin
CREATE FUNCTION index_allowed_embeddings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('CREATE INDEX %I ON allowed_embedding USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)
        WITH (m = 16, ef_construction = 128) WHERE model_id = %s', 'allowed_embedding_' || NEW.id || '_hnsw', NEW.dims + 1, NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER index_allowed AFTER INSERT ON model FOR EACH ROW EXECUTE FUNCTION index_allowed_embeddings();
-- For the models that are there already.
-- +goose StatementBegin
DO $$
DECLARE
    known model;
BEGIN
    FOR known IN SELECT * FROM model LOOP
        EXECUTE format('CREATE INDEX %I ON allowed_embedding USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)
            WITH (m = 16, ef_construction = 128) WHERE model_id = %s', 'allowed_embedding_' || known.id || '_hnsw', known.dims + 1, known.id);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Why: from the setting moderator.reason, as the person is from moderator.actor.
ALTER TABLE audit_log ADD COLUMN reason text;
CREATE INDEX audit_log_actor ON audit_log (actor);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    before jsonb;
    after jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
    IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
    INSERT INTO audit_log (db_user, actor, reason, action, table_name, row_id, before, after)
        VALUES (session_user, nullif(current_setting('moderator.actor', true), ''), nullif(current_setting('moderator.reason', true), ''),
                lower(TG_OP), TG_TABLE_NAME, coalesce(after, before) ->> TG_ARGV[0], before, after);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON allowed_image FOR EACH ROW EXECUTE FUNCTION audit('id');

-- Retraction puts embeddings and hashes aside, out of every index, and restoring puts them back: the pictures that they
-- were made of are seldom to be had again.
CREATE TABLE retracted_embedding (LIKE flagged_embedding, PRIMARY KEY (image_id, model_id, view));
ALTER TABLE retracted_embedding ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE TABLE retracted_pdq (LIKE flagged_pdq, PRIMARY KEY (image_id, view));

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delete_retracted_embeddings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (DELETE FROM flagged_embedding WHERE image_id = NEW.id RETURNING *)
    INSERT INTO retracted_embedding SELECT * FROM gone;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delete_retracted_pdq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (DELETE FROM flagged_pdq WHERE image_id = NEW.id RETURNING *)
    INSERT INTO retracted_pdq SELECT * FROM gone;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION restore_signals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH back AS (DELETE FROM retracted_embedding WHERE image_id = NEW.id RETURNING *)
    INSERT INTO flagged_embedding SELECT * FROM back;
    WITH back AS (DELETE FROM retracted_pdq WHERE image_id = NEW.id RETURNING *)
    INSERT INTO flagged_pdq SELECT * FROM back;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER restore AFTER UPDATE OF retracted_at ON flagged_image
    FOR EACH ROW WHEN (OLD.retracted_at IS NOT NULL AND NEW.retracted_at IS NULL) EXECUTE FUNCTION restore_signals();

GRANT SELECT ON allowed_image, allowed_embedding, allowed_pdq, retracted_embedding, retracted_pdq
    TO moderator_reader, moderator_curator, moderator_admin;
GRANT INSERT (sha256, source, note, created_by), DELETE ON allowed_image TO moderator_curator, moderator_admin;
GRANT INSERT ON allowed_embedding, allowed_pdq TO moderator_curator, moderator_admin;
REVOKE EXECUTE ON FUNCTION index_allowed_embeddings, restore_signals FROM PUBLIC;
