-- A player's sessions, newest first; their refresh tokens are nobody's business.
SELECT session_id::text,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at,
    (extract(epoch FROM ended_at) * 1000)::bigint AS ended_at
FROM sessions s WHERE user_id = $1 ORDER BY s.created_at DESC, s.session_id
