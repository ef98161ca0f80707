-- PDQ hashes of flagged pictures, beside their embeddings: they belong to no model.

-- +goose Up
-- Only hashes of enough detail are kept (quality 50 and more of 100): those of flat pictures meet by chance.
CREATE TABLE flagged_pdq (
    image_id uuid NOT NULL,
    bank_id int NOT NULL,
    view text NOT NULL,
    hash bit(256) NOT NULL,
    quality smallint NOT NULL CHECK (quality BETWEEN 50 AND 100),
    PRIMARY KEY (image_id, view),
    FOREIGN KEY (image_id, bank_id) REFERENCES flagged_image (id, bank_id)
);
CREATE INDEX flagged_pdq_hnsw ON flagged_pdq USING hnsw (hash bit_hamming_ops) WITH (m = 16, ef_construction = 128);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- A retracted picture has no hashes either. They go by its own trigger, as the embeddings do.
-- +goose StatementBegin
CREATE FUNCTION delete_retracted_pdq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM flagged_pdq WHERE image_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER retract_pdq AFTER UPDATE OF retracted_at ON flagged_image
    FOR EACH ROW WHEN (NEW.retracted_at IS NOT NULL) EXECUTE FUNCTION delete_retracted_pdq();

GRANT SELECT ON flagged_pdq TO moderator_reader, moderator_curator, moderator_admin;
GRANT INSERT ON flagged_pdq TO moderator_curator, moderator_admin;
REVOKE EXECUTE ON FUNCTION delete_retracted_pdq FROM PUBLIC;
