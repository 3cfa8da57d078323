-- The player of an outside issuer's subject, made at the first use; no row when somebody else makes it right now.
WITH found AS (
    SELECT user_id, role FROM accounts WHERE issuer = $1 AND subject = $2
), account AS (
    INSERT INTO accounts (user_id, username, username_key, display_name, issuer, subject)
    SELECT $3, $4, lower($4), $4, $1, $2 WHERE NOT EXISTS (SELECT FROM found)
    ON CONFLICT DO NOTHING RETURNING user_id, role
), player AS (
    INSERT INTO players (id) SELECT user_id FROM account
)
SELECT user_id::text, role FROM found UNION ALL SELECT user_id::text, role FROM account
