-- Creates players with accounts for names that have none.
WITH player AS (INSERT INTO players (id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING)
INSERT INTO accounts (user_id, username, username_key, display_name, role)
SELECT user_id, name, lower(name), name, $3
FROM unnest($1::uuid[], $2::text[]) AS n (user_id, name)
ON CONFLICT (username_key) DO NOTHING
