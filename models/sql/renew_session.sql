-- Exchanges a refresh token for the next one, or ends its session when it was exchanged before.
-- Of two uses at once one waits for the other's row, finds it used, and counts as the second use that it is.
WITH used AS (
    UPDATE refresh_tokens t SET used_at = now() FROM sessions s
    WHERE t.token_hash = $1 AND t.used_at IS NULL
        AND s.session_id = t.session_id AND s.ended_at IS NULL AND s.expires_at > now()
    RETURNING t.session_id
), renewed AS (
    UPDATE sessions s
    SET expires_at = now() + $3 * interval '1 second',
        access_until = greatest(s.access_until, now() + $4 * interval '1 second')
    FROM used WHERE s.session_id = used.session_id AND s.ended_at IS NULL
    RETURNING s.session_id, s.user_id
), next AS (
    INSERT INTO refresh_tokens (token_hash, session_id) SELECT $2, session_id FROM renewed
), ended AS (
    UPDATE sessions s SET ended_at = now() FROM refresh_tokens t
    WHERE t.token_hash = $1 AND s.session_id = t.session_id AND s.ended_at IS NULL AND s.expires_at > now()
        AND NOT EXISTS (SELECT FROM used)
    RETURNING s.session_id, s.access_until
), told AS (
    INSERT INTO revocations (kind, subject, until) SELECT 'session', session_id::text, access_until FROM ended
)
SELECT session_id::text, user_id::text, extract(epoch FROM NULL::timestamptz)::float8 AS until FROM renewed
UNION ALL
SELECT session_id::text, NULL, extract(epoch FROM access_until)::float8 FROM ended
