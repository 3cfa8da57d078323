-- Players whose erasure is in the ledger while their account is still there.
SELECT p.id::text FROM players p JOIN accounts a ON a.user_id = p.id
WHERE p.banned_until >= timestamptz '9999-12-31 23:59:59.5+00' LIMIT 100
