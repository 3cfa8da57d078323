-- Voids stamped in a stretch of time and the results that their targets' times lie in, with the rules those were made by.
SELECT l.entry_id::text, l.user_id::text, r.id, r.board_id, r.period, r.board_revision, b.rules::text AS rules
FROM ledger l
JOIN results r ON r.starts_at <= l.effective_at AND r.ends_at > l.effective_at
JOIN board_revisions b ON b.board_id = r.board_id AND b.revision = r.board_revision
WHERE l.at >= $1 AND l.at < $2 AND l.kind = 'void'
ORDER BY l.at, l.entry_id
