-- The smallest id of the ledger: no entry is much older than the time in it.
SELECT entry_id::text FROM ledger ORDER BY entry_id LIMIT 1
