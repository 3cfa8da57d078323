-- A page of accounts by name: behind a name, within two bounds. $4 true leaves the banned out.
SELECT {member} FROM accounts a JOIN players p ON p.id = a.user_id
WHERE a.username_key COLLATE "C" > $1 AND a.username_key COLLATE "C" >= $2 AND a.username_key COLLATE "C" < $3
  AND (NOT $4::bool OR p.banned_until IS NULL OR p.banned_until <= now())
ORDER BY a.username_key COLLATE "C" LIMIT $5
