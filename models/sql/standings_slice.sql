-- Rows of a board by number from the best down; the order is that of models.ranking and of the index.
SELECT user_id::text, score, reached_at FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
ORDER BY score DESC, reached_at ASC, user_id DESC OFFSET $3 LIMIT $4
