-- Rows in rank order behind a given one; the order is that of models.ranking and of the index.
SELECT user_id::text, score, reached_at FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
AND ($3::bigint IS NULL OR score < $3 OR (score = $3 AND (reached_at > $4 OR (reached_at = $4 AND user_id < $5))))
ORDER BY score DESC, reached_at ASC, user_id DESC LIMIT $6
