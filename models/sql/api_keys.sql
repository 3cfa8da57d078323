-- A page of keys of servers, newest first, behind a given one.
SELECT key_id::text, client_id, title, actions, (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
       (extract(epoch FROM revoked_at) * 1000)::bigint AS revoked_at
FROM api_keys k WHERE $1::uuid IS NULL OR k.key_id < $1
ORDER BY k.key_id DESC LIMIT $2
