-- How many rank above a given row.
SELECT count(*) AS n FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
AND (score > $3 OR (score = $3 AND (reached_at < $4 OR (reached_at = $4 AND user_id > $5))))
