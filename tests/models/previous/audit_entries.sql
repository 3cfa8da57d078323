-- Stretches of players' histories with their seals: $1 players, $2 after which version, $3 up to which.
SELECT l.user_id::text, l.user_version, l.entry_id::text, (-- An entry of the ledger `l` as the array that `models.entry.Entry` is decoded from.
json_build_array(l.entry_id, l.kind, l.user_id, l.user_version, l.action_id, l.action_revision, l.delta, l.score_after,
    (extract(epoch FROM l.at) * 1000)::bigint, (extract(epoch FROM l.effective_at) * 1000)::bigint,
    l.target_id, l.region, l.groups, l.caller, l.meta)
)::text AS entry, l.hash, l.hash_version, l.audit_key
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS span (user_id, low, high)
JOIN ledger l ON l.user_id = span.user_id AND l.user_version > span.low AND l.user_version <= span.high
ORDER BY l.user_id, l.user_version, l.entry_id
