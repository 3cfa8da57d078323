-- Writes standings and the memos that vouch for them in one instant, so that no reader finds only one of the two and
-- counts entries twice. Of each, a row of a newer version wins; two memos of one version vouch together.
-- $1, $2: places (board key, period). $3 to $7: standings, sorted: place and player by their numbers from 1, score,
-- reached at, present. $8 to $12: players (id, version, hidden, boards, actions). Long arrays of numbers come as text,
-- which is read once in FROM; what a row looks up by number may not, or it would be read again for each row.
WITH settled AS (
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT ($1::text[])[s.place], ($2::text[])[s.place], ($8::uuid[])[s.player], s.score, s.reached_at,
           ($9::bigint[])[s.player], s.present, ($10::bool[])[s.player]
    FROM unnest($3::text::int[], $4::text::int[], $5::text::bigint[], $6::text::bigint[], $7::text::bool[])
        AS s (place, player, score, reached_at, present)
    ON CONFLICT (board_key, period, user_id) DO UPDATE SET
        score = excluded.score, reached_at = excluded.reached_at, version = excluded.version,
        present = excluded.present, hidden = excluded.hidden
    WHERE standings.version < excluded.version
)
INSERT INTO player_memos (user_id, version, boards, actions)
SELECT m.user_id, m.version, m.boards::text[], m.actions::jsonb
FROM unnest($8::uuid[], $9::bigint[], $11::text[], $12::text[]) AS m (user_id, version, boards, actions)
ON CONFLICT (user_id) DO UPDATE SET
    version = excluded.version, actions = excluded.actions,
    boards = CASE WHEN player_memos.version < excluded.version THEN excluded.boards
                  ELSE ARRAY(SELECT unnest(player_memos.boards) UNION SELECT unnest(excluded.boards)) END
WHERE player_memos.version < excluded.version
   OR (player_memos.version = excluded.version AND NOT player_memos.boards @> excluded.boards)
