-- A new key of a server.
INSERT INTO api_keys (key_id, client_id, title, secret_hash, actions, created_by) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING (extract(epoch FROM created_at) * 1000)::bigint AS created_at
