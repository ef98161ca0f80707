-- What people decided on uploads with the verdict review, and the exchanges from which flags are fetched.

-- +goose Up
-- A decision is identified by its id and its time: a stream that is made anew gives its sequence numbers again.
CREATE TABLE review (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision_id text NOT NULL, decided_at timestamptz NOT NULL, UNIQUE (decision_id, decided_at),
    upload_id text NOT NULL, verdict text NOT NULL CHECK (verdict IN ('allow', 'block', 'again')), sequence bigint NOT NULL, -- in DECISIONS
    reviewed_at timestamptz NOT NULL DEFAULT now(), reviewed_by text NOT NULL, reviewed_user text NOT NULL DEFAULT session_user, taken_back_at timestamptz, taken_back_by text
);
CREATE INDEX review_at ON review (reviewed_at);
-- Who looks at which decision, so that the console gives nobody else the same one. A crash may lose it.
CREATE UNLOGGED TABLE review_claim (
    decision_id text NOT NULL, decided_at timestamptz NOT NULL, PRIMARY KEY (decision_id, decided_at), claimed_by text NOT NULL, until timestamptz NOT NULL
);
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON review FOR EACH ROW EXECUTE FUNCTION audit('id');

GRANT INSERT (decision_id, decided_at, upload_id, verdict, sequence, reviewed_by), UPDATE (taken_back_at, taken_back_by) ON review TO moderator_curator, moderator_admin;

-- A hash-sharing programme, or another source, that is fetched into a bank. settings have no credentials.
CREATE TABLE exchange (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    programme text NOT NULL, bank_id int NOT NULL REFERENCES bank, settings jsonb NOT NULL, enabled boolean NOT NULL DEFAULT true
);
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON exchange FOR EACH ROW EXECUTE FUNCTION audit('id');

-- checkpoint is the place in the source behind the stored records, NULL at its beginning, and changes in their transaction. A whole
-- fetch begins a round, and its end drops the records of earlier rounds. Refused hashes are counted by reason since it began.
CREATE TABLE exchange_state (
    exchange_id int PRIMARY KEY REFERENCES exchange ON DELETE CASCADE,
    checkpoint json, round int NOT NULL DEFAULT 0, whole boolean NOT NULL DEFAULT true, hashes bigint NOT NULL DEFAULT 0, refused jsonb NOT NULL DEFAULT '{}',
    progressed_at timestamptz, started_at timestamptz, fetched_at timestamptz, failed_at timestamptz, error text
);

-- Which flags an entry of a source stands behind: one for each of its hashes. entry is the source's own key, address what feedback names it by.
CREATE TABLE exchange_record (
    exchange_id int NOT NULL REFERENCES exchange, entry text NOT NULL, image_id uuid NOT NULL,
    round int NOT NULL, address text NOT NULL DEFAULT '', PRIMARY KEY (exchange_id, entry, image_id)
);
CREATE INDEX exchange_record_image ON exchange_record (image_id);
CREATE TRIGGER refer AFTER INSERT ON exchange_record REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refer(
    'SELECT image_id FROM added a WHERE (SELECT true FROM flagged_image i WHERE i.id = a.image_id) IS NOT TRUE LIMIT 1');

-- What uploads and reviewers said of entries whose exchange takes feedback, until and after its source took it.
CREATE TABLE exchange_feedback (
    exchange_id int NOT NULL REFERENCES exchange ON DELETE CASCADE, entry text NOT NULL, signal text NOT NULL, -- sha256, sha1, md5 or pdq
    opinion text NOT NULL CHECK (opinion IN ('seen', 'confirmed', 'false_positive')), created_at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz,
    PRIMARY KEY (exchange_id, entry, signal, opinion)
);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- forget_flags deletes the flags of exchanges behind which no record stands, with their signals, and returns how many. What somebody
-- retracted keeps its row, so that it is not flagged again; its hash is replaced by the hash's SHA-256, which nothing matches.
-- +goose StatementBegin
CREATE FUNCTION forget_flags(ids uuid[]) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE name text;
BEGIN
    ids := ARRAY(SELECT i.id FROM flagged_image i WHERE i.id = ANY (ids) AND i.exchanged
        AND NOT EXISTS (SELECT FROM exchange_record r WHERE r.image_id = i.id) ORDER BY i.id FOR UPDATE);
    FOREACH name IN ARRAY ARRAY['flagged_embedding', 'flagged_pdq', 'flagged_keypoints', 'retracted_embedding', 'retracted_pdq', 'retracted_keypoints'] LOOP
        EXECUTE format('DELETE FROM %s WHERE image_id = ANY ($1)', name) USING ids;
    END LOOP;
    DELETE FROM flagged_image WHERE id = ANY (ids) AND retracted_at IS NULL;
    UPDATE flagged_image SET signal_key = sha256(coalesce(sha256, sha1, md5, signal_key)), sha256 = NULL, sha1 = NULL, md5 = NULL, exchanged = false WHERE id = ANY (ids);
    RETURN cardinality(ids);
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION forget_flags FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_flags TO moderator_curator, moderator_admin;
GRANT SELECT ON review, exchange, exchange_state, exchange_record, exchange_feedback TO moderator_reader, moderator_curator, moderator_admin;
GRANT INSERT ON exchange_feedback TO moderator_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON exchange_feedback, review_claim TO moderator_curator, moderator_admin;
GRANT INSERT, UPDATE, DELETE ON exchange_state, exchange_record TO moderator_curator, moderator_admin;
GRANT INSERT (name, programme, bank_id, settings), UPDATE (enabled, settings), DELETE ON exchange TO moderator_curator, moderator_admin;
