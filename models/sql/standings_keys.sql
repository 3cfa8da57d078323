-- The keys that standings have, found by hopping along the index.
WITH RECURSIVE place AS (
    (SELECT board_key FROM standings ORDER BY board_key LIMIT 1)
    UNION ALL
    SELECT (SELECT s.board_key FROM standings s WHERE s.board_key > place.board_key ORDER BY s.board_key LIMIT 1)
    FROM place WHERE place.board_key IS NOT NULL
)
SELECT board_key FROM place WHERE board_key IS NOT NULL
