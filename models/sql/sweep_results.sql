-- Removes some rows of results whose board was deleted; the results that rows have are found by hopping along the index.
WITH RECURSIVE has AS (
    (SELECT result FROM result_rows ORDER BY result LIMIT 1)
    UNION ALL
    SELECT (SELECT r.result FROM result_rows r WHERE r.result > has.result ORDER BY r.result LIMIT 1)
    FROM has WHERE has.result IS NOT NULL
), stray AS (
    SELECT result FROM has WHERE result IS NOT NULL AND NOT EXISTS (SELECT FROM results WHERE results.id = has.result)
    LIMIT 1
)
DELETE FROM result_rows WHERE ctid = ANY (ARRAY(
    SELECT r.ctid FROM result_rows r JOIN stray USING (result) LIMIT $1))
RETURNING 1 AS gone
