-- Forgets what no token can ask for any more, and tokens used so long ago that nobody has them still; so many at a time.
WITH old_sessions AS (
    DELETE FROM sessions WHERE session_id IN (
        SELECT session_id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT $1
    )
), old_tokens AS (
    DELETE FROM refresh_tokens WHERE token_hash IN (
        SELECT token_hash FROM refresh_tokens WHERE used_at < now() - interval '90 days' LIMIT $1
    )
)
DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE until < now() - interval '1 minute' LIMIT $1)
