-- Brings players in a copy to what they have now: $3 players, $4 scores, $5 times, $6 versions, $7 whether shown.
INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
SELECT $1, $2, u.user_id, u.score, u.reached_at, u.version, u.shown, false
FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bool[])
    AS u (user_id, score, reached_at, version, shown)
ON CONFLICT (board_key, period, user_id) DO UPDATE SET
    score = excluded.score, reached_at = excluded.reached_at, version = excluded.version, present = excluded.present
WHERE standings.version < excluded.version
