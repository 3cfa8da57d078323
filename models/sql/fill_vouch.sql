-- Writes standings of boards that memos do not vouch for yet, and has them vouch, where they are of the same version still.
-- $1 to $8 are rows of standings, $9 to $11 players, versions and arrays of board keys as text.
WITH settled AS (
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::bool[], $8::bool[])
    ON CONFLICT (board_key, period, user_id) DO UPDATE SET
        score = excluded.score, reached_at = excluded.reached_at, version = excluded.version,
        present = excluded.present, hidden = excluded.hidden
    WHERE standings.version < excluded.version
)
UPDATE player_memos m SET boards = ARRAY(SELECT unnest(m.boards) UNION SELECT unnest(v.boards::text[]))
FROM unnest($9::uuid[], $10::bigint[], $11::text[]) AS v (user_id, version, boards)
WHERE m.user_id = v.user_id AND m.version = v.version
