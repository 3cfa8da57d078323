-- Of the 2,000 players after one, those whose memo does not vouch for all of the boards $2, also those without a memo; and
-- the last of them in any case, for the next to begin behind. So no statement reads more, however many players there are.
WITH page AS MATERIALIZED (
    SELECT p.id, p.version FROM players p WHERE p.id > $1::uuid ORDER BY p.id LIMIT 2000
), judged AS (
    SELECT page.id, m.version, m.boards, page.version > 0 AND (m.version IS NULL OR NOT m.boards @> $2::text[]) AS lacks
    FROM page LEFT JOIN player_memos m ON m.user_id = page.id AND m.user_id > $1::uuid
)
SELECT j.id::text AS user_id, coalesce(j.version, 0) AS version, coalesce(j.boards, '{}') AS boards, j.lacks
FROM judged j WHERE j.lacks OR j.id = (SELECT page.id FROM page ORDER BY page.id DESC LIMIT 1)
ORDER BY j.id
