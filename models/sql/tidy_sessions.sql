-- Forgets what no token can ask for any more, a bounded number at a time.
WITH old_sessions AS (
    DELETE FROM sessions WHERE session_id IN (
        SELECT session_id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT $1
    )
)
DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE until < now() - interval '1 minute' LIMIT $1)
