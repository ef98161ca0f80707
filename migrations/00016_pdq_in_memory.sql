-- PDQ hashes are found in the memory of each moderator, as embeddings are: all of them are compared (internal/pdq), which takes
-- less than an index of them did, and building none lets a list be loaded while uploads are judged.

-- +goose Up
ALTER TABLE flagged_pdq ADD COLUMN added xid8 NOT NULL DEFAULT '0';
ALTER TABLE flagged_pdq ALTER COLUMN added SET DEFAULT pg_current_xact_id();
CREATE INDEX flagged_pdq_added ON flagged_pdq (added);

-- Moderators of before wait by require_indexed, which stays, until one of this schema takes their place; so do the functions
-- that their statement names.
DROP INDEX IF EXISTS flagged_pdq_hnsw, flagged_pdq_keys;
DROP FUNCTION begin_load, build_index;

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- As they were, but that what is put aside has not been added to anything.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delete_retracted_pdq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (DELETE FROM flagged_pdq WHERE image_id = NEW.id RETURNING *)
    INSERT INTO retracted_pdq SELECT image_id, bank_id, view, hash, quality FROM gone;
    RETURN NULL;
END $$;
-- +goose StatementEnd
