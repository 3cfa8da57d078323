-- Voids made since a time and the results that their targets' times lie in, with the rules those were made by.
-- Voids are few and claim keys, which name them by ids that begin with their time: no stretch of the ledger is read.
SELECT l.entry_id::text, l.user_id::text, r.id, r.board_id, r.period, r.board_revision, b.rules::text AS rules
FROM idempotency_keys k
JOIN ledger l ON l.entry_id = k.entry_id
JOIN results r ON r.starts_at <= l.effective_at AND r.ends_at > l.effective_at
JOIN board_revisions b ON b.board_id = r.board_id AND b.revision = r.board_revision
WHERE k.scope = 'void' AND k.entry_id >= uuid7_floor($1) AND l.kind = 'void'
ORDER BY l.at, l.entry_id
