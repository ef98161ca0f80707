-- Embeddings are found by sketches of them that each moderator keeps in memory (internal/sketch): an index of nearest
-- neighbours missed 17 in 1,000 copies of a million, and took longer to ask, to add to and to build.

-- +goose Up
-- added is the transaction that brought a row: what a moderator's snapshot does not see yet, its sketches lack.
ALTER TABLE flagged_embedding ADD COLUMN added xid8 NOT NULL DEFAULT '0';
ALTER TABLE flagged_embedding ALTER COLUMN added SET DEFAULT pg_current_xact_id();
CREATE INDEX flagged_embedding_added ON flagged_embedding (added);

-- +goose StatementBegin
DO $$
DECLARE
    known int;
BEGIN
    FOR known IN SELECT id FROM model LOOP
        EXECUTE format('DROP INDEX IF EXISTS %I', 'flagged_embedding_' || known || '_hnsw');
    END LOOP;
END $$;
-- +goose StatementEnd

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- As it was, but for the index.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION register_model(fingerprint text, name text, dims int, block_at float8, review_at float8) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    known model;
    part text;
BEGIN
    SELECT * INTO known FROM model m WHERE m.fingerprint = register_model.fingerprint;
    IF NOT FOUND THEN
        -- One at a time: two sessions that each hold a row's lock and wait for the other's table would not end.
        PERFORM pg_advisory_xact_lock('flagged_embedding'::regclass::oid::bigint);
        SELECT * INTO known FROM model m WHERE m.fingerprint = register_model.fingerprint;
    END IF;
    IF NOT FOUND THEN
        INSERT INTO model (fingerprint, name, dims, block_at, review_at)
            VALUES (register_model.fingerprint, register_model.name, register_model.dims, register_model.block_at,
                    register_model.review_at)
            RETURNING * INTO known;
        part := 'flagged_embedding_' || known.id;
        -- Made apart and then attached: readers of the parent never wait for it.
        EXECUTE format('CREATE TABLE %I (LIKE flagged_embedding INCLUDING ALL,
            CHECK (model_id = %s), CHECK (vector_dims(embedding) = %s))', part, known.id, known.dims + 1);
        EXECUTE format('ALTER TABLE flagged_embedding ATTACH PARTITION %I FOR VALUES IN (%s)', part, known.id);
    END IF;
    IF known.dims <> register_model.dims THEN
        RAISE EXCEPTION 'model % is registered with % dimensions, not %', known.fingerprint, known.dims, register_model.dims
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN known.id;
END $$;
-- +goose StatementEnd

-- As it was, but that what is put aside has not been added to anything.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delete_retracted_embeddings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (DELETE FROM flagged_embedding WHERE image_id = NEW.id RETURNING *)
    INSERT INTO retracted_embedding SELECT model_id, image_id, bank_id, view, penalty, embedding FROM gone;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- Indexes are taken off and built for PDQ hashes only.
DROP FUNCTION begin_load, build_index, signals_of, has_index;

-- +goose StatementBegin
CREATE FUNCTION begin_load() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM flagged_pdq) THEN
        RETURN; -- without a lock, which matching would feel
    END IF;
    LOCK TABLE flagged_pdq IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM flagged_pdq) THEN
        DROP INDEX IF EXISTS flagged_pdq_hnsw, flagged_pdq_keys;
    END IF;
END $$;
-- +goose StatementEnd

-- build_index puts back what begin_load took off; where it is there, nothing happens. The index of the keys is first:
-- require_indexed asks for the other one.
-- +goose StatementBegin
CREATE FUNCTION build_index() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    CREATE INDEX IF NOT EXISTS flagged_pdq_keys ON flagged_pdq USING gin (pdq_keys(hash)) WITH (fastupdate = off);
    CREATE INDEX IF NOT EXISTS flagged_pdq_hnsw ON flagged_pdq USING hnsw (hash bit_hamming_ops) WITH (m = 16, ef_construction = 128);
    ANALYZE flagged_pdq, flagged_image;
END $$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION begin_load, build_index FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_load, build_index TO moderator_curator, moderator_admin;
