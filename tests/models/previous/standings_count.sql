-- How many players are on a board.
SELECT count(*) AS n FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
