-- The allow-list: innocent pictures that were blocked. An upload nearer to one of them than to a flag is not blocked by the flag.

-- +goose Up
CREATE TABLE allowed_image (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    source text NOT NULL DEFAULT '', note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(), created_by text NOT NULL, created_user text NOT NULL DEFAULT session_user
);

-- Stored as in flagged_embedding, with an HNSW index for each model. Only uploads that match a flag are looked up here. A row
-- that the index misses leaves an upload blocked, which somebody notices.
CREATE TABLE allowed_embedding (
    model_id int NOT NULL REFERENCES model, image_id uuid NOT NULL REFERENCES allowed_image ON DELETE CASCADE, view text NOT NULL,
    penalty real NOT NULL, embedding halfvec NOT NULL, PRIMARY KEY (image_id, model_id, view)
);
ALTER TABLE allowed_embedding ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE TABLE allowed_pdq (
    image_id uuid NOT NULL REFERENCES allowed_image ON DELETE CASCADE, view text NOT NULL, hash bit(256) NOT NULL, PRIMARY KEY (image_id, view)
);
CREATE INDEX allowed_pdq_hnsw ON allowed_pdq USING hnsw (hash bit_hamming_ops) WITH (m = 16, ef_construction = 128);

-- Flags that blocked more uploads within an hour than --quarantine-rate ask for review until somebody releases them, once.
CREATE TABLE quarantine (
    image_id uuid PRIMARY KEY REFERENCES flagged_image, blocked int NOT NULL, -- within that hour, as one moderator counts
    quarantined_at timestamptz NOT NULL DEFAULT now(), released_at timestamptz, released_by text, CHECK ((released_at IS NULL) = (released_by IS NULL))
);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- +goose StatementBegin
CREATE FUNCTION index_allowed_embeddings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('CREATE INDEX %I ON allowed_embedding USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)
        WITH (m = 16, ef_construction = 128) WHERE model_id = %s', 'allowed_embedding_' || NEW.id || '_hnsw', NEW.dims + 1, NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER index_allowed AFTER INSERT ON model FOR EACH ROW EXECUTE FUNCTION index_allowed_embeddings();
