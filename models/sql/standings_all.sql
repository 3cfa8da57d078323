-- A page of all rows of a board with their versions, by player. The number is written out: a plan made for a number
-- that is not known expects a tenth of the table, and sorts all of it for each page.
SELECT user_id::text, score, reached_at, version FROM standings
WHERE board_key = $1 AND period = $2 AND present AND NOT hidden AND user_id > $3
ORDER BY user_id LIMIT 2000
