-- A page of one player's entries, newest first, behind a version. $2 version, $3 action, $4 kind, $5/$6 from and to.
SELECT {entry} AS entry, EXISTS (
    SELECT FROM idempotency_keys v WHERE v.scope = 'void' AND v.key = l.entry_id::text) AS voided
FROM ledger l
WHERE l.user_id = $1 AND l.user_version < $2
  AND ($3::text IS NULL OR l.action_id = $3) AND ($4::text IS NULL OR l.kind = $4)
  AND ($5::timestamptz IS NULL OR l.at >= $5) AND ($6::timestamptz IS NULL OR l.at < $6)
ORDER BY l.user_version DESC LIMIT $7
