-- Flags that come from lists, by the million: some know their picture by an MD5 only, or by its hashes or vectors alone.

-- +goose Up
-- signal_key is what a flag of an unknown file is known by: the SHA-256 over its PDQ hashes, or else over its vectors.
ALTER TABLE flagged_image
    ALTER COLUMN sha256 DROP NOT NULL,
    ADD COLUMN md5 bytea CHECK (octet_length(md5) = 16),
    ADD COLUMN signal_key bytea CHECK (octet_length(signal_key) = 32),
    ADD CHECK ((signal_key IS NULL) = (num_nonnulls(sha256, md5) > 0));

-- One flag a picture and bank; once retracted, it may be flagged anew by hand, and is passed over in lists.
DROP INDEX flagged_image_active;
CREATE UNIQUE INDEX flagged_image_active ON flagged_image (bank_id, (coalesce(sha256, md5, signal_key))) WHERE retracted_at IS NULL;
CREATE INDEX flagged_image_retracted ON flagged_image (bank_id, (coalesce(sha256, md5, signal_key))) WHERE retracted_at IS NOT NULL;
-- Two files can be made to have one MD5: where the SHA-256 is known, it alone counts.
CREATE INDEX flagged_image_md5 ON flagged_image (md5) WHERE sha256 IS NULL AND md5 IS NOT NULL;

GRANT INSERT (id, md5, signal_key) ON flagged_image TO moderator_curator, moderator_admin;

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- signals_of is the table of a model's vectors, or without a model that of the PDQ hashes.
CREATE FUNCTION signals_of(model_id int) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN model_id IS NULL THEN 'flagged_pdq' ELSE 'flagged_embedding_' || model_id END;

-- has_index says whether the table has its index of nearest neighbours.
CREATE FUNCTION has_index(signals regclass) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam
                   WHERE x.indrelid = signals AND x.indisvalid AND a.amname = 'hnsw');

-- require_index is an error where it has not: matching would scan the whole table for every view of every upload.
-- +goose StatementBegin
CREATE FUNCTION require_index(signals regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT has_index(signals) THEN
        RAISE EXCEPTION 'the index of % is not built yet: uploads wait for the `flagctl import` that loads the list and builds it; if none runs, start it again, or one without a file to build the index only',
            signals USING ERRCODE = 'MD001';
    END IF;
    RETURN true;
END $$;
-- +goose StatementEnd

-- begin_load takes the index off a model's vectors, or without a model off the PDQ hashes, where there are none yet: a
-- row costs a fiftieth without it, and it is built in a fifth of the time at the end. It runs as the owner, as only he may.
-- +goose StatementBegin
CREATE FUNCTION begin_load(model_id int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    signals text := signals_of(model_id);
    filled boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', signals) INTO filled;
    IF filled THEN
        RETURN; -- without a lock, which matching would feel
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', signals);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', signals) INTO filled;
    IF NOT filled THEN
        EXECUTE format('DROP INDEX IF EXISTS %I', signals || '_hnsw');
    END IF;
END $$;
-- +goose StatementEnd

-- build_index puts back what begin_load took off; where it is there, nothing happens.
-- +goose StatementBegin
CREATE FUNCTION build_index(model_id int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    signals text := signals_of(model_id);
    width int := (SELECT dims + 1 FROM model m WHERE m.id = model_id);
BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING hnsw (%s) WITH (m = 16, ef_construction = 128)',
        signals || '_hnsw', signals,
        CASE WHEN model_id IS NULL THEN 'hash bit_hamming_ops' ELSE format('(embedding::halfvec(%s)) halfvec_ip_ops', width) END);
    EXECUTE format('ANALYZE %I', signals);
    ANALYZE flagged_image;
END $$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION begin_load, build_index FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_load, build_index TO moderator_curator, moderator_admin;
