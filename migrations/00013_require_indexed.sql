-- Every search asks whether its index is there: the server plans that look-up once a session now, and not each time.

-- +goose Up
-- As it was, but for has_index(), whose body was planned at each call.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION require_indexed(signals regclass) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_index x
                   JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid JOIN pg_catalog.pg_am a ON a.oid = c.relam
                   WHERE x.indrelid = signals AND x.indisvalid AND a.amname = 'hnsw') THEN
        RAISE EXCEPTION 'the index of % is not built yet: uploads wait for the `flagctl import` that loads the list and builds it; if none runs, start it again, or one without a file to build the index only',
            signals USING ERRCODE = 'MD001';
    END IF;
    RETURN true;
END $$;
-- +goose StatementEnd
