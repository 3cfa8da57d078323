-- A page of banned accounts by name: behind a name, within two bounds. Bans are few and have an index of their own.
WITH banned AS MATERIALIZED (SELECT id FROM players WHERE banned_until > now())
SELECT {member} FROM banned b JOIN accounts a ON a.user_id = b.id JOIN players p ON p.id = b.id
WHERE a.username_key COLLATE "C" > $1 AND a.username_key COLLATE "C" >= $2 AND a.username_key COLLATE "C" < $3
ORDER BY a.username_key COLLATE "C" LIMIT $4
