-- The flags that the hashes of a batch of uploads name, in one statement.
--
--   @files, @sha256, @sha1, @md5         for each file its upload's number from 0 and its hashes; NULL where one is not searched by
--   @uploads, @numbers, @digits, @bits   for each PDQ hash its upload's number from 0, its own among the upload's, its hexadecimal
--                                        digits, and in how many bits a flag's hash may differ
--   @near_queries, @near_images          what the index names: number of the PDQ hash from 1, picture
--   @disabled_too                        whether the flags of disabled banks count
--   @snapshot                            the snapshot in which the index was read, for {not_in_snapshot}
--
-- A SHA-1 counts only for flags whose SHA-256 is unknown, and an MD5 where the SHA-1 is unknown too: two files can be made to have one.
WITH active AS MATERIALIZED (SELECT id, name FROM bank WHERE enabled OR @disabled_too),
query AS MATERIALIZED (
    SELECT place, upload, number, ('x' || digits)::bit(256) AS hash, bits
    FROM unnest(@uploads::int[], @numbers::int[], @digits::text[], @bits::int[]) WITH ORDINALITY AS query (upload, number, digits, bits, place)
),
-- Rows that the index may lack.
unread AS MATERIALIZED (
    SELECT image_id, bank_id, view, hash FROM flagged_pdq WHERE {not_in_snapshot}
),
compared AS MATERIALIZED (
    SELECT place, image_id, bank_id, view, hash
    FROM unnest(@near_queries::int[], @near_images::uuid[]) AS near (place, image_id) JOIN flagged_pdq USING (image_id)
    UNION
    SELECT place, image_id, bank_id, view, unread.hash FROM query JOIN unread ON unread.hash <~> query.hash <= query.bits
)
SELECT upload, i.id, bank.name, '', true, 0, 0
FROM unnest(@files::int[], @sha256::bytea[]) AS file (upload, sha256)
JOIN flagged_image i ON coalesce(i.sha256, i.sha1, i.md5, i.signal_key) = file.sha256 AND i.sha256 IS NOT NULL AND i.retracted_at IS NULL
JOIN active bank ON bank.id = i.bank_id
UNION ALL
SELECT upload, i.id, bank.name, '', true, 0, 0
FROM unnest(@files::int[], @sha1::bytea[]) AS file (upload, sha1)
JOIN flagged_image i ON coalesce(i.sha256, i.sha1, i.md5, i.signal_key) = file.sha1 AND i.sha1 IS NOT NULL AND i.retracted_at IS NULL
JOIN active bank ON bank.id = i.bank_id
UNION ALL
SELECT upload, i.id, bank.name, '', true, 0, 0
FROM unnest(@files::int[], @md5::bytea[]) AS file (upload, md5)
JOIN flagged_image i ON coalesce(i.sha256, i.sha1, i.md5, i.signal_key) = file.md5 AND i.md5 IS NOT NULL AND i.retracted_at IS NULL
JOIN active bank ON bank.id = i.bank_id
UNION ALL
SELECT upload, image_id, bank.name, view, false, (compared.hash <~> query.hash)::int, number
FROM compared JOIN query USING (place) JOIN active bank ON bank.id = compared.bank_id
WHERE compared.hash <~> query.hash <= bits
