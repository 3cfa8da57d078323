-- The entry of an id.
SELECT -- An entry of the ledger `l` as the array that `models.entry.Entry` is decoded from.
json_build_array(l.entry_id, l.kind, l.user_id, l.user_version, l.action_id, l.action_revision, l.delta, l.score_after,
    (extract(epoch FROM l.at) * 1000)::bigint, (extract(epoch FROM l.effective_at) * 1000)::bigint,
    l.target_id, l.region, l.groups, l.caller, l.meta)
 AS entry FROM ledger l WHERE l.entry_id = $1
