-- The score of the one directly above a given row.
SELECT min(score) AS score FROM (
    SELECT score FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
    AND (score > $3 OR (score = $3 AND (reached_at < $4 OR (reached_at = $4 AND user_id > $5))))
    ORDER BY score ASC, reached_at DESC, user_id ASC LIMIT 1) AS next
