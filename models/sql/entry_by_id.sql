-- The entry of an id.
SELECT {entry} AS entry FROM ledger l WHERE l.entry_id = $1
