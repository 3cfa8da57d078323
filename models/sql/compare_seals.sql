-- The player's version now, and the seal of the entry of a version, if it is there. $1 players, $2 versions.
SELECT r.user_id::text, p.version, CASE WHEN p.version = r.version THEN p.last_hash ELSE l.hash END AS seal
FROM unnest($1::uuid[], $2::bigint[]) AS r (user_id, version)
LEFT JOIN players p ON p.id = r.user_id
LEFT JOIN ledger l ON l.user_id = r.user_id AND l.user_version = r.version
