-- Some players' rows of a board with their ranks and how many there are: one walk along the index, whoever is asked for,
-- and one count. Counted within the walk, all of its rows would be written to disk first.
SELECT ranked.user_id::text, ranked.score, ranked.reached_at, ranked.rank, (
    SELECT count(*) FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden) AS total
FROM (
    SELECT user_id, score, reached_at, row_number() OVER (ORDER BY score DESC, reached_at ASC, user_id DESC) AS rank
    FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
) AS ranked WHERE ranked.user_id = ANY($3::uuid[])
