-- All rows of a board as `load.lua` takes them, in no order that matters: version and member of the sorted set as the
-- board's hash holds them, then the score. The member is that of models.ranking.
SELECT version || '|' || lpad((9999999999999 - reached_at)::text, 13, '0') || ':' || user_id, score FROM standings
WHERE board_key = $1 AND period = $2 AND present AND NOT hidden
