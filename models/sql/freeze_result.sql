-- Freezes a period once: $1 board, $2 its revision, $3 its key, $4 period, $5 and $6 its ends. Whoever comes second waits
-- at the unique constraint and writes nothing.
WITH frozen AS (
    INSERT INTO results (board_id, board_revision, period, starts_at, ends_at)
    SELECT $1, $2::int, $4::text, $5, $6 WHERE EXISTS (SELECT FROM boards WHERE board_id = $1 AND revision = $2)
    ON CONFLICT (board_id, period) DO NOTHING RETURNING id
), written AS (
    INSERT INTO result_rows (result, user_id, score, reached_at, since)
    SELECT frozen.id, s.user_id, s.score, s.reached_at, 1 FROM frozen
    JOIN standings s ON s.board_key = $3::text AND s.period = $4 AND s.present AND NOT s.hidden
    RETURNING 1
)
INSERT INTO result_revisions (result, revision, players)
SELECT id, 1, (SELECT count(*) FROM written) FROM frozen
RETURNING result
