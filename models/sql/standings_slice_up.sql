-- Rows of a board by number from the last up: the order of standings_slice.sql, reversed.
SELECT user_id::text, score, reached_at FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
ORDER BY score ASC, reached_at DESC, user_id ASC OFFSET $3 LIMIT $4
