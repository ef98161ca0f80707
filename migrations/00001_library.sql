-- The library of flagged pictures: banks, flags, their embeddings per model.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS vector;

-- A model is known by its fingerprint. block_at and review_at are its calibrated thresholds of the score, which hold in
-- every bank that has none of its own; infinity is "never".
CREATE TABLE model (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL UNIQUE CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    name text NOT NULL,
    dims int NOT NULL CHECK (dims BETWEEN 1 AND 3999), -- one more is stored, and HNSW takes halfvec up to 4000
    block_at float8 NOT NULL,
    review_at float8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (review_at <= block_at AND block_at <> 'NaN')
);

CREATE TABLE bank (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO bank (name) VALUES ('default');

-- A bank's own thresholds for one model. Without a row the model's hold; without review_at there is no review band.
CREATE TABLE bank_threshold (
    bank_id int NOT NULL REFERENCES bank,
    model_id int NOT NULL REFERENCES model,
    block_at float8 NOT NULL,
    review_at float8,
    PRIMARY KEY (bank_id, model_id),
    CHECK (review_at <= block_at AND block_at <> 'NaN')
);

-- The picture itself is not kept. Retraction fills the three retract columns and leaves the row.
CREATE TABLE flagged_image (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    bank_id int NOT NULL REFERENCES bank,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    source text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    created_user text NOT NULL DEFAULT session_user,
    retracted_at timestamptz,
    retracted_by text,
    retract_reason text,
    UNIQUE (id, bank_id), -- what flagged_embedding refers to
    CHECK (num_nonnulls(retracted_at, retracted_by, retract_reason) IN (0, 3))
);
-- One flag a file and bank; once retracted, the file may be flagged anew.
CREATE UNIQUE INDEX flagged_image_active ON flagged_image (bank_id, sha256) WHERE retracted_at IS NULL;
CREATE INDEX flagged_image_newest ON flagged_image (created_at DESC, id);
CREATE INDEX flagged_image_sha256 ON flagged_image (sha256);

-- A view of a flagged picture: embedding is [r, -penalty] for a normalised r of the model's dims, so that its inner product
-- with [q, 1] is q·r - penalty; penalty is kept beside it, rounded as it is there. bank_id repeats the picture's, so that the search
-- can filter by bank without leaving the table.
--
-- One partition a model, made by register_model(). A column's type in a partition is that of the parent, which has no
-- width; the width stands in the partition's CHECK and in its index, over (embedding::halfvec(dims + 1)). A query uses
-- the index when it orders by that expression, literally.
CREATE TABLE flagged_embedding (
    model_id int NOT NULL REFERENCES model,
    image_id uuid NOT NULL,
    bank_id int NOT NULL,
    view text NOT NULL,
    penalty real NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (image_id, model_id, view),
    FOREIGN KEY (image_id, bank_id) REFERENCES flagged_image (id, bank_id)
) PARTITION BY LIST (model_id);
-- Inline whatever the width: a TOASTed vector makes each comparison a second look-up.
ALTER TABLE flagged_embedding ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX flagged_embedding_bank ON flagged_embedding (bank_id);

-- For functions that run as the owner: names are looked up where they are now, and last of all in the caller's
-- temporary schema, which is first unless named.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- register_model makes a model known, with the partition and the index of its embeddings, and returns its id. A model
-- that is known stays as it is. It runs as the owner, so that curators need no right to create tables.
-- +goose StatementBegin
CREATE FUNCTION register_model(fingerprint text, name text, dims int, block_at float8, review_at float8) RETURNS int
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
        EXECUTE format('CREATE INDEX %I ON %I USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)
            WITH (m = 16, ef_construction = 128)', part || '_hnsw', part, known.dims + 1);
        EXECUTE format('ALTER TABLE flagged_embedding ATTACH PARTITION %I FOR VALUES IN (%s)', part, known.id);
    END IF;
    IF known.dims <> register_model.dims THEN
        RAISE EXCEPTION 'model % is registered with % dimensions, not %', known.fingerprint, known.dims, register_model.dims
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN known.id;
END $$;
-- +goose StatementEnd

-- A retracted picture has no embeddings, whoever retracted it by whatever program.
-- +goose StatementBegin
CREATE FUNCTION delete_retracted_embeddings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM flagged_embedding WHERE image_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER retract AFTER UPDATE OF retracted_at ON flagged_image
    FOR EACH ROW WHEN (NEW.retracted_at IS NOT NULL) EXECUTE FUNCTION delete_retracted_embeddings();
