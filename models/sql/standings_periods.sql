-- The periods that a board has rows in, found by hopping along the index.
WITH RECURSIVE place AS (
    (SELECT period FROM standings WHERE board_key = $1 ORDER BY period LIMIT 1)
    UNION ALL
    SELECT (SELECT s.period FROM standings s WHERE s.board_key = $1 AND s.period > place.period ORDER BY s.period LIMIT 1)
    FROM place WHERE place.period IS NOT NULL
)
SELECT period FROM place WHERE period IS NOT NULL
