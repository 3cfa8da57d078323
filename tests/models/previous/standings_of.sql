-- A player on a board.
SELECT score, reached_at FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden AND user_id = $3
