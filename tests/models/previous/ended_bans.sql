-- Bans that have run out and were not taken back.
SELECT id::text FROM players WHERE banned_until <= now() LIMIT 1000
