-- A page of everybody's entries within a stretch of time, newest first, behind an entry. $1/$2 from and to,
-- $3/$4 the entry's time and id, $5 action, $6 kind. {rare} lets the index of rare kinds be used.
SELECT {entry} AS entry, EXISTS (
    SELECT FROM idempotency_keys v WHERE v.scope = 'void' AND v.key = l.entry_id::text) AS voided
FROM ledger l
WHERE l.at >= $1 AND l.at < $2 AND (l.at, l.entry_id) < ($3, $4::uuid)
  AND ($5::text IS NULL OR l.action_id = $5) AND ($6::text IS NULL OR l.kind = $6) {rare}
ORDER BY l.at DESC, l.entry_id DESC LIMIT $7
