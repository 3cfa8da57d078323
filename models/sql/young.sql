-- Who has entries in a stretch of time, their first and last version there, the last that should be settled, and what
-- is settled. $4 are the boards that count: who is not settled for all of them is not settled at all.
SELECT l.user_id::text, l.first, l.due, coalesce(l.owed, 0) AS owed,
       CASE WHEN m.boards @> $4::text[] THEN m.version ELSE 0 END AS settled
FROM (SELECT user_id, min(user_version) AS first, max(user_version) AS due,
             max(user_version) FILTER (WHERE at < $3) AS owed
      FROM ledger WHERE at >= $1 AND at < $2 GROUP BY user_id) AS l
LEFT JOIN player_memos m ON m.user_id = l.user_id
