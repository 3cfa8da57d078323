-- Copies a board's rows to another key, where nothing changes them any more.
INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
SELECT $3, period, user_id, score, reached_at, version, true, false FROM standings
WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
