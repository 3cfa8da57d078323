-- All rows of a board with their versions, by player.
SELECT user_id::text, score, reached_at, version FROM standings
WHERE board_key = $1 AND period = $2 AND present AND NOT hidden AND user_id > $3
ORDER BY user_id LIMIT $4
