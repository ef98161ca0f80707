-- Rows are numbered by the server that holds them, whoever writes them: logical replication copies the number of the server that
-- it comes from, which means nothing here.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION number_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.added := pg_current_xact_id();
    RETURN NEW;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION number_added FROM PUBLIC;

CREATE TRIGGER number_added BEFORE INSERT OR UPDATE ON flagged_embedding FOR EACH ROW EXECUTE FUNCTION number_added();
CREATE TRIGGER number_added BEFORE INSERT OR UPDATE ON flagged_pdq FOR EACH ROW EXECUTE FUNCTION number_added();
-- Also for the workers of replication, for which triggers do not fire otherwise.
ALTER TABLE flagged_embedding ENABLE ALWAYS TRIGGER number_added;
ALTER TABLE flagged_pdq ENABLE ALWAYS TRIGGER number_added;

-- A subscriber that replicated before has rows with the numbers of their origin. Moderators read all rows anew because of the new
-- trigger, and need not have these renumbered.
