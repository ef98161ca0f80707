-- Models, banks with their thresholds, and flagged pictures.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS vector;

-- A model is known by its fingerprint. block_at and review_at are its calibrated thresholds of the score. They hold in every
-- bank without thresholds of its own. Infinity means "never".
CREATE TABLE model (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),
    fingerprint text NOT NULL UNIQUE CHECK (fingerprint ~ '^[0-9a-f]{64}$'), name text NOT NULL,
    dims int NOT NULL CHECK (dims BETWEEN 1 AND 3999), -- one more is stored, and HNSW takes halfvec up to 4000
    block_at float8 NOT NULL, review_at float8 NOT NULL, CHECK (review_at <= block_at AND block_at <> 'NaN')
);

CREATE TABLE bank (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$'), enabled boolean NOT NULL DEFAULT true,
    shadow boolean NOT NULL DEFAULT false, -- its matches are reported and change no verdict
    review_only boolean NOT NULL DEFAULT false, -- its matches ask for review at most
    -- Its own: NULL leaves the decision on a PDQ match to the evidence, and the rate to the moderators' --false-blocks.
    pdq_distance smallint CHECK (pdq_distance BETWEEN 0 AND 31), pdq_verdict text CHECK (pdq_verdict IN ('block', 'review')),
    CHECK (num_nonnulls(pdq_distance, pdq_verdict) <> 1), false_blocks float8 CHECK (false_blocks > 0 AND false_blocks <= 1),
    enabled_ratio float8 NOT NULL DEFAULT 1 CHECK (enabled_ratio > 0 AND enabled_ratio <= 1) -- of HMA's look-ups
);
INSERT INTO bank (name) VALUES ('default');

-- A bank's own thresholds for one model. A NULL review_at means that the bank has no review band.
CREATE TABLE bank_threshold (
    bank_id int NOT NULL REFERENCES bank, model_id int NOT NULL REFERENCES model, PRIMARY KEY (bank_id, model_id),
    block_at float8 NOT NULL, review_at float8, CHECK (review_at <= block_at AND block_at <> 'NaN')
);

-- The thresholds that hold in each bank for each model: the bank's own, or else the model's.
CREATE VIEW threshold AS
SELECT b.id AS bank_id, b.name AS bank, b.enabled, m.id AS model_id, t.bank_id IS NOT NULL AS own,
       coalesce(t.block_at, m.block_at) AS block_at, CASE WHEN t.bank_id IS NULL THEN m.review_at ELSE t.review_at END AS review_at
FROM bank b CROSS JOIN model m LEFT JOIN bank_threshold t ON t.bank_id = b.id AND t.model_id = m.id;

-- The picture itself is not kept. Retraction fills the three retract columns and leaves the row. signal_key identifies flags
-- whose file is unknown: the SHA-256 over their PDQ hashes, or else over their vectors. added: see audit(). bank_id: see refer().
CREATE TABLE flagged_image (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- of a list they are of version 7, which append to an index
    -- Of HMA's clients: the content's id; when look-ups find it (0 never, 1 always, else from that Unix time on).
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, disable_until bigint NOT NULL DEFAULT 1,
    added xid8 NOT NULL DEFAULT pg_current_xact_id(), created_at timestamptz NOT NULL DEFAULT now(), bank_id int NOT NULL,
    sha256 bytea CHECK (octet_length(sha256) = 32), sha1 bytea CHECK (octet_length(sha1) = 20), md5 bytea CHECK (octet_length(md5) = 16),
    signal_key bytea CHECK (octet_length(signal_key) = 32), CHECK ((signal_key IS NULL) = (num_nonnulls(sha256, sha1, md5) > 0)),
    exchanged boolean NOT NULL DEFAULT false, -- made by an exchange, and forgotten with its last record there: see forget_flags()
    source text NOT NULL DEFAULT '', note text NOT NULL DEFAULT '', metadata jsonb, created_by text NOT NULL, created_user text NOT NULL DEFAULT session_user,
    retracted_at timestamptz, retracted_by text, retract_reason text,
    CHECK (num_nonnulls(retracted_at, retracted_by, retract_reason) IN (0, 3))
);
-- A picture is flagged once in a bank. A retracted one may be flagged again by hand; lists skip it. Uploads' hashes are looked up here, and
-- of a flag's only the best counts: two files can be made to have one MD5 or SHA-1.
CREATE UNIQUE INDEX flagged_image_active ON flagged_image ((coalesce(sha256, sha1, md5, signal_key)), bank_id) WHERE retracted_at IS NULL;
CREATE INDEX flagged_image_retracted ON flagged_image ((coalesce(sha256, sha1, md5, signal_key)), bank_id) WHERE retracted_at IS NOT NULL;
CREATE INDEX flagged_image_bank ON flagged_image (bank_id) WHERE retracted_at IS NULL;
CREATE INDEX flagged_image_sums ON flagged_image ((sha1 IS NULL)) WHERE sha256 IS NULL AND signal_key IS NULL AND retracted_at IS NULL;
CREATE INDEX flagged_image_created ON flagged_image USING brin (created_at);
