-- The whole state of many players in one snapshot: present row, memo, standings, younger entries, the entry asked for.
-- $1 players, $2 version known (null: none), $3 entry asked for, $4/$5 scope and key asked for,
-- $6/$7 boards and periods wanted, $8 how many younger entries at most.
SELECT r.n, p.id IS NOT NULL AS known, p.version, p.score,
       (extract(epoch FROM p.last_at) * 1000)::bigint AS last_at,
       p.last_hash, p.region, p.groups,
       (extract(epoch FROM p.banned_until) * 1000)::bigint AS banned_until,
       m.version AS memo_version, m.boards AS memo_boards, m.actions::text AS memo_actions,
       CASE WHEN r.known IS NULL THEN (
           SELECT json_agg(json_build_array(s.board_key, s.period, s.score, s.reached_at, s.present))
           FROM unnest($6::text[], $7::text[]) AS w (board_key, period)
           JOIN standings s ON s.board_key = w.board_key AND s.period = w.period AND s.user_id = r.user_id
       )::text END AS standings,
       (SELECT json_agg(y.entry)::text FROM (
            SELECT -- An entry of the ledger `l` as the array that `models.entry.Entry` is decoded from.
json_build_array(l.entry_id, l.kind, l.user_id, l.user_version, l.action_id, l.action_revision, l.delta, l.score_after,
    (extract(epoch FROM l.at) * 1000)::bigint, (extract(epoch FROM l.effective_at) * 1000)::bigint,
    l.target_id, l.region, l.groups, l.caller, l.meta)
 AS entry FROM ledger l
            WHERE l.user_id = r.user_id AND l.user_version > coalesce(r.known, m.version, 0)
            ORDER BY l.user_version LIMIT $8
        ) AS y) AS younger,
       (SELECT -- An entry of the ledger `l` as the array that `models.entry.Entry` is decoded from.
json_build_array(l.entry_id, l.kind, l.user_id, l.user_version, l.action_id, l.action_revision, l.delta, l.score_after,
    (extract(epoch FROM l.at) * 1000)::bigint, (extract(epoch FROM l.effective_at) * 1000)::bigint,
    l.target_id, l.region, l.groups, l.caller, l.meta)
::text FROM ledger l WHERE l.entry_id = coalesce(k.entry_id, r.asked)) AS recorded,
       k.request_hash,
       EXISTS (SELECT FROM idempotency_keys v
               WHERE v.scope = 'void' AND v.key = coalesce(k.entry_id, r.asked)::text) AS voided
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[])
         WITH ORDINALITY AS r (user_id, known, asked, scope, key, n)
LEFT JOIN players p ON p.id = r.user_id
LEFT JOIN player_memos m ON m.user_id = r.user_id
LEFT JOIN idempotency_keys k ON k.scope = r.scope AND k.key = r.key
