-- Players' standings in a place that are of no older version than one each. $1 board, $2 period, $3 players, $4 versions.
SELECT s.user_id::text, s.version, s.present AND NOT s.hidden AS shown, s.score, s.reached_at
FROM unnest($3::uuid[], $4::bigint[]) AS y (user_id, first)
JOIN standings s ON s.board_key = $1 AND s.period = $2 AND s.user_id = y.user_id AND s.version >= y.first
