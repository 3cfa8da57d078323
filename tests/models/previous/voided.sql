-- Which of a player's entries a void has reversed, up to a version.
SELECT target_id::text FROM ledger WHERE user_id = $1 AND kind = 'void' AND user_version <= $2
