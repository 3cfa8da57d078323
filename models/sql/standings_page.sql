-- Rows in rank order behind a given one; the order is that of models.ranking and of the index. The most there may be is
-- written out: a plan made for a number that is not known expects a tenth of the table, and sorts all of it.
SELECT user_id::text, score, reached_at FROM (
    SELECT user_id, score, reached_at FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
    AND score <= coalesce($3::bigint, 9007199254740991)
    AND ($3::bigint IS NULL OR score < $3 OR (score = $3 AND (reached_at > $4 OR (reached_at = $4 AND user_id < $5))))
    ORDER BY score DESC, reached_at ASC, user_id DESC LIMIT 100
) AS page LIMIT $6
