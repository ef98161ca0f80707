-- A stored vector ends in 1 - penalty, and is asked for with 1: the index then links flags by their score, and not by their
-- likeness alone, by which it missed near copies of pictures that resemble no others. Scores stay as they were, but for the
-- rounding of penalties.

-- +goose Up
SET LOCAL maintenance_work_mem = '512MB'; -- an index that does not fit takes several times as long to build

-- +goose StatementBegin
CREATE FUNCTION rounded_penalty(penalty real) RETURNS real LANGUAGE sql AS
$$ SELECT 1 - (format('[%s]', 1 - penalty)::halfvec::real[])[1] $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION stored_vector(embedding halfvec, dims int, penalty real) RETURNS halfvec LANGUAGE sql AS
$$ SELECT subvector(embedding, 1, dims) || format('[%s]', 1 - penalty)::halfvec $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    known model;
    allowed text;
    part text;
BEGIN
    FOR known IN SELECT * FROM model LOOP
        -- Without their indexes, of which each row would be put into anew.
        part := 'flagged_embedding_' || known.id;
        EXECUTE format('DROP INDEX IF EXISTS %I', part || '_hnsw');
        EXECUTE format('UPDATE %I SET penalty = rounded_penalty(penalty), embedding = stored_vector(embedding, %s, penalty)', part, known.dims);
        PERFORM build_index(known.id);

        SELECT indexdef INTO allowed FROM pg_indexes WHERE indexname = 'allowed_embedding_' || known.id || '_hnsw' AND schemaname = current_schema();
        EXECUTE format('DROP INDEX %I', 'allowed_embedding_' || known.id || '_hnsw');
        UPDATE allowed_embedding SET penalty = rounded_penalty(penalty), embedding = stored_vector(embedding, known.dims, penalty)
            WHERE model_id = known.id;
        EXECUTE allowed;

        UPDATE retracted_embedding SET penalty = rounded_penalty(penalty), embedding = stored_vector(embedding, known.dims, penalty)
            WHERE model_id = known.id;
        UPDATE recent_view SET embedding = stored_vector(embedding, known.dims, 0) WHERE model_id = known.id;
    END LOOP;
END $$;
-- +goose StatementEnd

DROP FUNCTION rounded_penalty, stored_vector;

-- Another name, so that the statements of older moderators, whose scores would be too high, fail until newer ones take over.
ALTER FUNCTION require_index RENAME TO require_indexed;
