-- The half of a stored vector is divided by 64, and asked for with 64 instead of 1: in its full size it made flags of a
-- great half everybody's neighbours in the index, which then missed near copies. Scores stay as they were.

-- +goose Up
SET LOCAL maintenance_work_mem = '512MB'; -- an index that does not fit takes several times as long to build

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
        EXECUTE format('UPDATE %I SET embedding = subvector(embedding, 1, %s) || format(''[%%s]'', -half / 64)::halfvec', part, known.dims);
        PERFORM build_index(known.id);

        SELECT indexdef INTO allowed FROM pg_indexes WHERE indexname = 'allowed_embedding_' || known.id || '_hnsw' AND schemaname = current_schema();
        EXECUTE format('DROP INDEX %I', 'allowed_embedding_' || known.id || '_hnsw');
        UPDATE allowed_embedding SET embedding = subvector(embedding, 1, known.dims) || format('[%s]', -half / 64)::halfvec
            WHERE model_id = known.id;
        EXECUTE allowed;

        UPDATE retracted_embedding SET embedding = subvector(embedding, 1, known.dims) || format('[%s]', -half / 64)::halfvec
            WHERE model_id = known.id;
        UPDATE recent_view SET embedding = subvector(embedding, 1, known.dims) || '[64]'::halfvec WHERE model_id = known.id;
    END LOOP;
END $$;
-- +goose StatementEnd
