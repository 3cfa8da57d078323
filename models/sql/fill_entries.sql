-- Whole histories up to a version each: $1 players, $2 versions.
SELECT l.user_id::text, json_agg({entry} ORDER BY l.user_version)::text AS entries
FROM unnest($1::uuid[], $2::bigint[]) AS s (user_id, version)
JOIN ledger l ON l.user_id = s.user_id AND l.user_version <= s.version
GROUP BY l.user_id
