-- Who has entries in a stretch of time, their last version there, and up to which version they are settled.
SELECT l.user_id::text, l.due, coalesce(m.version, 0) AS settled
FROM (SELECT user_id, max(user_version) AS due FROM ledger WHERE at >= $1 AND at < $2 GROUP BY user_id) AS l
LEFT JOIN player_memos m ON m.user_id = l.user_id
