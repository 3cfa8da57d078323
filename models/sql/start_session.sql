-- Starts a session with its first refresh token.
WITH started AS (
    INSERT INTO sessions (session_id, user_id, expires_at, access_until)
    VALUES ($1, $2, now() + $4 * interval '1 second', now() + $5 * interval '1 second') RETURNING session_id
)
INSERT INTO refresh_tokens (token_hash, session_id) SELECT $3, session_id FROM started
