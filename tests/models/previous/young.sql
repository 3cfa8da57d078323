-- Who has entries in a stretch of time, their last version there, the last that should be settled, and what is settled.
SELECT l.user_id::text, l.due, coalesce(l.owed, 0) AS owed, coalesce(m.version, 0) AS settled
FROM (SELECT user_id, max(user_version) AS due, max(user_version) FILTER (WHERE at < $3) AS owed
      FROM ledger WHERE at >= $1 AND at < $2 GROUP BY user_id) AS l
LEFT JOIN player_memos m ON m.user_id = l.user_id
