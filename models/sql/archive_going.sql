-- Entries that leave with a month: those with ids before its end that no entry kept precedes. $1 the end of the month.
-- Tickets of a month may be redeemed after younger ones; such stragglers stay until the entries before them have gone.
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
SELECT l.entry_id, l.user_id, l.user_version
FROM ledger l LEFT JOIN (
    SELECT user_id, min(user_version) AS first FROM ledger WHERE entry_id >= uuid7_floor($1) GROUP BY user_id
) AS kept ON kept.user_id = l.user_id
WHERE l.entry_id < uuid7_floor($1) AND (kept.first IS NULL OR l.user_version < kept.first)
