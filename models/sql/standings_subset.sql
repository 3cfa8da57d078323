-- Some players' rows of a board with their ranks and how many there are: one walk along the index, whoever is asked for.
SELECT user_id::text, score, reached_at, rank, total FROM (
    SELECT user_id, score, reached_at, row_number() OVER (ORDER BY score DESC, reached_at ASC, user_id DESC) AS rank,
           count(*) OVER () AS total
    FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
) AS ranked WHERE user_id = ANY($3::uuid[])
