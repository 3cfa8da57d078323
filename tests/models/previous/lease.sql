-- Takes or keeps a lease; no row while somebody else has it.
INSERT INTO leases (name, holder, until) VALUES ($1, $2, now() + $3 * interval '1 second')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE leases.until < now() OR leases.holder = excluded.holder
RETURNING name
