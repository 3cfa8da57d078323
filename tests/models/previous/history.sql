-- A page of a player's entries in version order, after a version.
SELECT -- An entry of the ledger `l` as the array that `models.entry.Entry` is decoded from.
json_build_array(l.entry_id, l.kind, l.user_id, l.user_version, l.action_id, l.action_revision, l.delta, l.score_after,
    (extract(epoch FROM l.at) * 1000)::bigint, (extract(epoch FROM l.effective_at) * 1000)::bigint,
    l.target_id, l.region, l.groups, l.caller, l.meta)
 AS entry FROM ledger l
WHERE l.user_id = $1 AND l.user_version > $2
ORDER BY l.user_version LIMIT $3
