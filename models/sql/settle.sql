-- Writes standings and the memos that vouch for them in one instant, so that no reader finds only one of the two and
-- counts entries twice. Of each, a row of a newer version wins; two memos of one version vouch together. $1 to $8 are rows of standings, $9 to $12 of memos.
WITH settled AS (
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::bool[], $8::bool[])
    ON CONFLICT (board_key, period, user_id) DO UPDATE SET
        score = excluded.score, reached_at = excluded.reached_at, version = excluded.version,
        present = excluded.present, hidden = excluded.hidden
    WHERE standings.version < excluded.version
)
INSERT INTO player_memos (user_id, version, boards, actions)
SELECT m.user_id, m.version, m.boards::text[], m.actions::jsonb
FROM unnest($9::uuid[], $10::bigint[], $11::text[], $12::text[]) AS m (user_id, version, boards, actions)
ON CONFLICT (user_id) DO UPDATE SET
    version = excluded.version, actions = excluded.actions,
    boards = CASE WHEN player_memos.version < excluded.version THEN excluded.boards
                  ELSE ARRAY(SELECT unnest(player_memos.boards) UNION SELECT unnest(excluded.boards)) END
WHERE player_memos.version < excluded.version
   OR (player_memos.version = excluded.version AND NOT player_memos.boards @> excluded.boards)
