-- A page of everybody's entries within a stretch of time, newest first, behind an entry. $1/$2 from and to,
-- $3/$4 the entry's time and id, $5 how many. {words} are the conditions on action and kind, written out: a plan for
-- values that are not known reads all of the stretch. What is not on the page is not made into an answer.
SELECT {entry} AS entry, EXISTS (
    SELECT FROM idempotency_keys v WHERE v.scope = 'void' AND v.key = l.entry_id::text) AS voided
FROM (
    SELECT * FROM ledger l
    WHERE l.at >= $1 AND l.at < $2 AND (l.at, l.entry_id) < ($3, $4::uuid) {words}
    ORDER BY l.at DESC, l.entry_id DESC LIMIT $5
) AS l
ORDER BY l.at DESC, l.entry_id DESC
