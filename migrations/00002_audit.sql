-- Who changed what: written by the database itself, and only ever appended to.

-- +goose Up
-- db_user is who logged in; actor is the person whom the program acted for, from the setting moderator.actor.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    db_user text NOT NULL,
    actor text,
    action text NOT NULL,     -- insert, update, delete
    table_name text NOT NULL,
    row_id text NOT NULL,     -- the row's id; a threshold's is its bank's
    before jsonb,
    after jsonb
);
CREATE INDEX audit_log_row ON audit_log (table_name, row_id);
CREATE INDEX audit_log_at ON audit_log (at);

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- audit runs as the owner: those who change the library need no right on the log, and cannot write to it otherwise.
-- +goose StatementBegin
CREATE FUNCTION audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    before jsonb;
    after jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
    IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
    INSERT INTO audit_log (db_user, actor, action, table_name, row_id, before, after)
        VALUES (session_user, nullif(current_setting('moderator.actor', true), ''), lower(TG_OP), TG_TABLE_NAME,
                coalesce(after, before) ->> TG_ARGV[0], before, after);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON model FOR EACH ROW EXECUTE FUNCTION audit('id');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON bank FOR EACH ROW EXECUTE FUNCTION audit('id');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON bank_threshold FOR EACH ROW EXECUTE FUNCTION audit('bank_id');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON flagged_image FOR EACH ROW EXECUTE FUNCTION audit('id');

-- Not even the owner: rights do not bind him, this does.
-- +goose StatementBegin
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
