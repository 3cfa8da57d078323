-- Writes memos after the standings they vouch for; a memo of a newer version wins.
INSERT INTO player_memos (user_id, version, boards, actions)
SELECT m.user_id, m.version, m.boards::text[], m.actions::jsonb
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS m (user_id, version, boards, actions)
ON CONFLICT (user_id) DO UPDATE SET
    version = excluded.version, boards = excluded.boards, actions = excluded.actions
WHERE player_memos.version < excluded.version
