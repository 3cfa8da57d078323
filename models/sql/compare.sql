-- Players as they stand, for a comparison: row, seal of the last entry, and the standings with the version that vouches
-- for them, in one snapshot. $1 players, $2 and $3 boards and periods compared.
SELECT p.id::text AS user_id, p.version, p.score, p.last_hash, p.banned_until IS NOT NULL AS banned,
       (extract(epoch FROM p.last_at) * 1000)::bigint AS last_at,
       l.hash, l.score_after,
       (SELECT max(b.version) FROM ledger_bases b JOIN ledger_archives a ON a.month = b.month WHERE b.user_id = p.id)
           AS base_version,
       coalesce(m.version, 0) AS memo_version, m.boards AS memo_boards, m.actions::text AS memo_actions,
       coalesce((SELECT json_agg(json_build_array(s.board_key, s.period, s.score, s.reached_at, s.present, s.hidden))
                 FROM unnest($2::text[], $3::text[]) AS w (board_key, period)
                 JOIN standings s ON s.board_key = w.board_key AND s.period = w.period AND s.user_id = p.id
       )::text, '[]') AS standings
FROM players p
LEFT JOIN ledger l ON l.user_id = p.id AND l.user_version = p.version
LEFT JOIN player_memos m ON m.user_id = p.id
WHERE p.id = ANY($1::uuid[])
