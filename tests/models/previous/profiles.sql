-- What others may see of players.
SELECT user_id::text, username, display_name, avatar_url FROM accounts WHERE user_id = ANY($1::uuid[])
