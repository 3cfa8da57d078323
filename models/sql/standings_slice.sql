-- Rows of a board by number from the best down; the order is that of models.ranking and of the index.
SELECT s.user_id::text, s.score, s.reached_at FROM standings s WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
ORDER BY s.score DESC, s.reached_at ASC, s.user_id DESC OFFSET $3 LIMIT $4
