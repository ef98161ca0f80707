-- The flags near a batch of queries, in one statement. See the package's comment on why it misses none.
--
--   @vectors, @penalties                for each query [q, 1] and its background penalty
--   @upper_bounds                       for each query the score that no row of the candidate index but the near ones exceeds
--   @near_queries, @near_images, @near_scores, @near_always
--                                       what the index names: number of the query from 1, picture, score by its sketch, and
--                                       whether to compare it whatever that score
--   @sketch_error                       how much a score by sketches may be wrong by
--   @snapshot                           the snapshot in which the index was read
--   @fresh                              how many of the rows that are not in it are taken for each query
--
-- newStatement fills in {model} and {not_in_snapshot}, and matchStatement in place of the view threshold a replay's subquery.
WITH query AS MATERIALIZED (
    SELECT * FROM unnest(@vectors::halfvec[], @penalties::float8[], @upper_bounds::float8[])
        WITH ORDINALITY AS query (vector, penalty, upper_bound, number)
),
-- The banks whose flags count, with their thresholds.
active AS MATERIALIZED (
    SELECT bank_id, bank, block_at, review_at FROM {threshold} threshold WHERE model_id = {model} AND enabled
),
-- The pictures to compare exactly: the nearest, and those that may reach a threshold.
candidate AS MATERIALIZED (
    SELECT number, image_id
    FROM unnest(@near_queries::int[], @near_images::uuid[], @near_scores::float8[], @near_always::bool[]) AS near (number, image_id, score, always)
    WHERE always OR score + @sketch_error::float8 >= (SELECT min(least(block_at, review_at)) FROM active)
),
-- Rows that the index may lack.
unread AS MATERIALIZED (
    SELECT image_id, bank_id, view, penalty, embedding FROM flagged_embedding WHERE model_id = {model} AND {not_in_snapshot}
),
fresh AS MATERIALIZED (
    SELECT number, nearest.* FROM query CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, -(embedding <#> vector) - query.penalty - 1 AS score, -(embedding <#> vector) - 1 + unread.penalty AS similarity
        FROM unread ORDER BY score DESC LIMIT @fresh
    ) nearest
),
-- All rows that are compared, with their exact scores.
compared AS MATERIALIZED (
    SELECT number, e.image_id, bank_id, view,
           -(embedding <#> vector) - query.penalty - 1 AS score, -(embedding <#> vector) - 1 + e.penalty AS similarity
    FROM candidate JOIN query USING (number) JOIN flagged_embedding e ON e.image_id = candidate.image_id AND e.model_id = {model}
    UNION ALL
    SELECT * FROM fresh
),
-- The score that no row exceeds that is not compared.
rest AS (
    SELECT query.*, greatest(upper_bound + @sketch_error::float8, last) AS most
    FROM query LEFT JOIN (SELECT number, min(score) AS last FROM fresh GROUP BY number HAVING count(*) = @fresh) f USING (number)
),
-- Banks in which such a row may have a graver verdict than the compared ones.
doubtful AS (
    SELECT rest.*, bank_id FROM rest CROSS JOIN active
    WHERE most >= least(block_at, review_at) AND NOT EXISTS (
        SELECT FROM compared c WHERE c.number = rest.number AND c.bank_id = active.bank_id
        AND (c.score >= least(most, block_at) OR c.score >= review_at AND most < block_at))
),
-- These banks are scanned for their best row.
hit AS (
    SELECT * FROM compared
    UNION ALL
    SELECT number, best.* FROM doubtful CROSS JOIN LATERAL (
        SELECT image_id, bank_id, view, -(embedding <#> vector) - doubtful.penalty - 1 AS score, -(embedding <#> vector) - 1 + e.penalty AS similarity
        FROM flagged_embedding e WHERE model_id = {model} AND bank_id = doubtful.bank_id
        ORDER BY score DESC LIMIT 1
    ) best
)
-- The best row of each bank.
SELECT number - 1, image_id, bank, view, similarity, score, block_at, review_at FROM (
    SELECT DISTINCT ON (number, bank_id) * FROM hit JOIN active USING (bank_id) ORDER BY number, bank_id, score DESC, image_id, view
) best
ORDER BY number, score DESC, bank
