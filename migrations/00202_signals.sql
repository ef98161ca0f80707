-- What flags are found by: embeddings for each model, PDQ hashes, keypoints.

-- +goose Up
-- A view of a flagged picture. embedding is [r, 1 - penalty] for the normalised r of the model's dims: its inner product with
-- [q, 1] is q·r - penalty + 1. penalty is the background penalty, rounded as it is in the embedding. bank_id repeats the
-- picture's (see refer()), so that one bank can be scanned without a join. added: see number_added(). Each model has a partition, which
-- register_model() creates and whose CHECK has the width of its vectors.
CREATE TABLE flagged_embedding (
    model_id int NOT NULL REFERENCES model, image_id uuid NOT NULL, bank_id int NOT NULL, view text NOT NULL,
    penalty real NOT NULL, embedding halfvec NOT NULL, added xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (image_id, model_id, view)
) PARTITION BY LIST (model_id);
-- Inline, whatever the width: a TOASTed vector makes each comparison a second look-up.
ALTER TABLE flagged_embedding ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX flagged_embedding_bank ON flagged_embedding (bank_id);

-- Hashes below quality 50 of 100 are not stored: flat pictures have similar hashes by chance.
CREATE TABLE flagged_pdq (
    image_id uuid NOT NULL, bank_id int NOT NULL, view text NOT NULL, hash bit(256) NOT NULL,
    quality smallint NOT NULL CHECK (quality BETWEEN 50 AND 100), added xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (image_id, view)
);

-- Keypoints, as keypoint.Features is stored, by which flags are candidates and are verified geometrically. Their descriptors do not
-- compress, and a part of them is read without the rest.
CREATE TABLE flagged_keypoints (
    image_id uuid PRIMARY KEY, points bytea NOT NULL, added xid8 NOT NULL DEFAULT pg_current_xact_id()
);
ALTER TABLE flagged_keypoints ALTER COLUMN points SET STORAGE EXTERNAL;

-- Retraction moves embeddings, hashes and keypoints here, and restoring moves them back.
CREATE TABLE retracted_embedding (LIKE flagged_embedding INCLUDING STORAGE, PRIMARY KEY (image_id, model_id, view));
CREATE TABLE retracted_pdq (LIKE flagged_pdq, PRIMARY KEY (image_id, view));
CREATE TABLE retracted_keypoints (LIKE flagged_keypoints INCLUDING STORAGE, PRIMARY KEY (image_id));

-- Functions below run as the owner. They look names up in the schemas of this migration, and in the caller's temporary
-- schema last: it would be first unless named.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- number_added writes which transaction of this server added a row: moderators read the rows that their last snapshot does not contain
-- by it. Logical replication brings the number of another server; only triggers that are enabled always fire for its workers.
-- +goose StatementBegin
CREATE FUNCTION number_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.added := pg_current_xact_id(); RETURN NEW; END $$;

-- refer checks all rows that a statement added with the query that it is given: a foreign key would look each up by a statement of its
-- own, and lock it. Nobody but forget_flags() deletes flags, and banks are renamed.
CREATE FUNCTION refer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE stray text;
BEGIN
    EXECUTE TG_ARGV[0] INTO stray;
    IF stray IS NOT NULL THEN
        RAISE EXCEPTION '% refers to %, which is not there or in another bank', TG_TABLE_NAME, stray USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refer AFTER INSERT ON flagged_image REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refer(
    'SELECT bank_id FROM (SELECT DISTINCT bank_id FROM added) a WHERE NOT EXISTS (SELECT FROM bank b WHERE b.id = bank_id) LIMIT 1');
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['flagged_embedding', 'flagged_pdq', 'flagged_keypoints'] LOOP
        EXECUTE format('CREATE INDEX %1$s_added ON %1$s (added)', name);
        EXECUTE format('CREATE TRIGGER number_added BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION number_added()', name);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER number_added', name);
        EXECUTE format('CREATE TRIGGER refer AFTER INSERT ON %s REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refer(
            ''SELECT image_id FROM added a WHERE (SELECT %s FROM flagged_image i WHERE i.id = a.image_id) IS NOT TRUE LIMIT 1'')',
            name, CASE name WHEN 'flagged_keypoints' THEN 'true' ELSE 'i.bank_id = a.bank_id' END);
    END LOOP;
END $$;

-- register_model adds a model with the partition of its embeddings and returns its id. A registered model keeps its
-- thresholds. It runs as the owner, so that curators need no right to create tables.
CREATE FUNCTION register_model(fingerprint text, name text, dims int, block_at float8, review_at float8) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    known model; part text;
BEGIN
    SELECT * INTO known FROM model m WHERE m.fingerprint = $1;
    IF NOT FOUND THEN
        -- One at a time: two sessions could each lock a row and wait for the other's table.
        PERFORM pg_advisory_xact_lock('flagged_embedding'::regclass::oid::bigint);
        SELECT * INTO known FROM model m WHERE m.fingerprint = $1;
    END IF;
    IF NOT FOUND THEN
        INSERT INTO model (fingerprint, name, dims, block_at, review_at) VALUES ($1, $2, $3, $4, $5) RETURNING * INTO known;
        part := 'flagged_embedding_' || known.id;
        -- Created apart and then attached: readers of the parent never wait for it.
        EXECUTE format('CREATE TABLE %I (LIKE flagged_embedding INCLUDING ALL, CHECK (model_id = %s), CHECK (vector_dims(embedding) = %s))', part, known.id, known.dims + 1);
        EXECUTE format('ALTER TABLE flagged_embedding ATTACH PARTITION %I FOR VALUES IN (%s)', part, known.id);
    END IF;
    IF known.dims <> $3 THEN
        RAISE EXCEPTION 'model % is registered with % dimensions, not %', $1, known.dims, $3 USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN known.id;
END $$;

-- A retracted picture has no embeddings, hashes and keypoints, whichever program retracted it.
CREATE FUNCTION delete_retracted_signals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (DELETE FROM flagged_embedding WHERE image_id = NEW.id RETURNING *) INSERT INTO retracted_embedding SELECT * FROM gone;
    WITH gone AS (DELETE FROM flagged_pdq WHERE image_id = NEW.id RETURNING *) INSERT INTO retracted_pdq SELECT * FROM gone;
    WITH gone AS (DELETE FROM flagged_keypoints WHERE image_id = NEW.id RETURNING *) INSERT INTO retracted_keypoints SELECT * FROM gone;
    RETURN NULL;
END $$;
CREATE FUNCTION restore_signals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH back AS (DELETE FROM retracted_embedding WHERE image_id = NEW.id RETURNING *) INSERT INTO flagged_embedding SELECT * FROM back;
    WITH back AS (DELETE FROM retracted_pdq WHERE image_id = NEW.id RETURNING *) INSERT INTO flagged_pdq SELECT * FROM back;
    WITH back AS (DELETE FROM retracted_keypoints WHERE image_id = NEW.id RETURNING *) INSERT INTO flagged_keypoints SELECT * FROM back;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER retract AFTER UPDATE OF retracted_at ON flagged_image FOR EACH ROW WHEN (NEW.retracted_at IS NOT NULL) EXECUTE FUNCTION delete_retracted_signals();
CREATE TRIGGER restore AFTER UPDATE OF retracted_at ON flagged_image FOR EACH ROW WHEN (OLD.retracted_at IS NOT NULL AND NEW.retracted_at IS NULL) EXECUTE FUNCTION restore_signals();
