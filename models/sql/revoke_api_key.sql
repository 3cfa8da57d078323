-- Revokes a key for good; a second time changes nothing.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1 RETURNING key_id::text
