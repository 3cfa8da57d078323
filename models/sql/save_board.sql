-- Writes a board; $2 its revision, or null for the next one that was never given. Tells every pod.
WITH numbered AS (
    SELECT coalesce($2::int, 1 + coalesce((SELECT max(revision) FROM board_revisions WHERE board_id = $1::text), 0)) AS n
), revised AS (
    INSERT INTO board_revisions (board_id, revision, rules) SELECT $1, n, $15::text::jsonb FROM numbered
    ON CONFLICT DO NOTHING
), told AS (INSERT INTO control (topic, subject) VALUES ('boards', $1))
INSERT INTO boards (board_id, revision, title, fold, "window", time_zone, season, starts_at, ends_at, actions,
                    region, "group", top_size, hidden, position)
SELECT $1, n, $3, $4, $5, $6, $7, $8::timestamptz, $9::timestamptz, $10::text[], $11, $12, $13, $14,
       (SELECT coalesce(max(position), 0) + 1 FROM boards)
FROM numbered
ON CONFLICT (board_id) DO UPDATE SET
    revision = excluded.revision, title = excluded.title, fold = excluded.fold, "window" = excluded."window",
    time_zone = excluded.time_zone, season = excluded.season, starts_at = excluded.starts_at,
    ends_at = excluded.ends_at, actions = excluded.actions, region = excluded.region, "group" = excluded."group",
    top_size = excluded.top_size, hidden = excluded.hidden
RETURNING *
