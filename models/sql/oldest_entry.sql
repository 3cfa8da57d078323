-- The smallest id of the ledger: no entry is much older than the time in it. The order is of uuids, not of their texts.
SELECT l.entry_id::text FROM ledger l ORDER BY l.entry_id LIMIT 1
