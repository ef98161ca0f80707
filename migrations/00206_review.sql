-- What people decided on uploads with the verdict review.

-- +goose Up
-- A decision is identified by its id and its time: a stream that is made anew gives its sequence numbers again.
CREATE TABLE review (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision_id text NOT NULL, decided_at timestamptz NOT NULL, UNIQUE (decision_id, decided_at),
    upload_id text NOT NULL, verdict text NOT NULL CHECK (verdict IN ('allow', 'block')),
    reviewed_at timestamptz NOT NULL DEFAULT now(), reviewed_by text NOT NULL, reviewed_user text NOT NULL DEFAULT session_user
);
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON review FOR EACH ROW EXECUTE FUNCTION audit('id');

GRANT SELECT ON review TO moderator_reader, moderator_curator, moderator_admin;
GRANT INSERT (decision_id, decided_at, upload_id, verdict, reviewed_by) ON review TO moderator_curator, moderator_admin;
