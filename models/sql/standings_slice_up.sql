-- Rows of a board by number from the last up: the order of standings_slice.sql, reversed.
SELECT s.user_id::text, s.score, s.reached_at FROM standings s WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
ORDER BY s.score ASC, s.reached_at DESC, s.user_id ASC OFFSET $3 LIMIT $4
