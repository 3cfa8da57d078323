-- Ends a session and tells every pod; also one that is not in the table ($3 null), or has ended already.
WITH ended AS (
    UPDATE sessions SET ended_at = coalesce(ended_at, now()) WHERE session_id = $3 RETURNING access_until
)
INSERT INTO revocations (kind, subject, until)
SELECT 'session', $1, greatest(to_timestamp($2), (SELECT access_until FROM ended))
RETURNING subject, extract(epoch FROM until)::float8 AS until
