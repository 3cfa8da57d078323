-- The key with a secret, unless it was revoked.
SELECT key_id::text, client_id, title, actions, (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
       (extract(epoch FROM revoked_at) * 1000)::bigint AS revoked_at
FROM api_keys WHERE secret_hash = $1 AND revoked_at IS NULL
