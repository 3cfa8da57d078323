-- Another title or other actions of a key; nulls leave things as they are.
UPDATE api_keys SET title = coalesce($2, title), actions = coalesce($3::text[], actions) WHERE key_id = $1
RETURNING key_id::text, client_id, title, actions, (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
          (extract(epoch FROM revoked_at) * 1000)::bigint AS revoked_at
