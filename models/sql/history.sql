-- A page of a player's entries in version order, after a version.
SELECT {entry} AS entry FROM ledger l
WHERE l.user_id = $1 AND l.user_version > $2
ORDER BY l.user_version LIMIT $3
