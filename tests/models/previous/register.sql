-- Creates a player and an account, unless the name is taken.
WITH account AS (
    INSERT INTO accounts (user_id, username, username_key, display_name, avatar_url, password_hash, role)
    SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM accounts WHERE username_key = $3)
    ON CONFLICT (username_key) DO NOTHING RETURNING user_id
)
INSERT INTO players (id, region) SELECT user_id, $8 FROM account RETURNING id
