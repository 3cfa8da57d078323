-- Takes away everything that says who a player was: account (and with it friends either way), tickets kept, region, groups.
-- Tells every pod to forget the name. Entries keep their hashes, so they stay.
WITH account AS (DELETE FROM accounts WHERE user_id = $1),
held AS (DELETE FROM held_tickets WHERE user_id = $1),
told AS (INSERT INTO control (topic, subject) VALUES ('profile', $1::uuid::text))
UPDATE players SET region = NULL, groups = '{}' WHERE id = $1
