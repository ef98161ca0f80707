-- The keypoints of candidates, each with its bank and the bank's rate of false blocks, NULL where the bank is disabled, and whether the index may lack the flag.
--
--   @near_images   the pictures that the index, or another signal, names
--   @snapshot      the snapshot in which the index was read, for {not_in_snapshot}
--   @fresh         how many of the flags that are not in it are returned at most
SELECT fresh, image_id, bank.name, bank.false_blocks, points FROM (
    SELECT false AS fresh, image_id, points FROM unnest(@near_images::uuid[]) AS near (image_id) JOIN flagged_keypoints USING (image_id)
    UNION ALL
    (SELECT true, image_id, points FROM flagged_keypoints WHERE {not_in_snapshot} LIMIT @fresh)
) found
JOIN flagged_image i ON i.id = image_id AND i.retracted_at IS NULL
LEFT JOIN bank ON bank.id = i.bank_id AND bank.enabled
