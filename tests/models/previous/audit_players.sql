-- A page of players as they stand: row, memo, standings, voided entries and entries out of bounds, in one snapshot.
-- $1 and $2 first and last id, $3 how many. The places of standings are found by hopping along the index.
WITH RECURSIVE place AS (
    (SELECT board_key, period FROM standings ORDER BY board_key, period LIMIT 1)
    UNION ALL
    SELECT following.board_key, following.period FROM place CROSS JOIN LATERAL (
        SELECT s.board_key, s.period FROM standings s
        WHERE (s.board_key, s.period) > (place.board_key, place.period)
        ORDER BY s.board_key, s.period LIMIT 1
    ) AS following
),
page AS MATERIALIZED (
    SELECT * FROM players WHERE id BETWEEN $1::uuid AND $2::uuid ORDER BY id LIMIT $3
),
bounds AS MATERIALIZED (
    SELECT (SELECT id FROM page ORDER BY id LIMIT 1) AS low, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS high
),
standing AS MATERIALIZED (
    SELECT s.user_id, json_agg(json_build_array(
        s.board_key, s.period, s.score, s.reached_at, s.present, s.hidden, s.version)
        ORDER BY s.board_key, s.period)::text AS rows
    FROM bounds CROSS JOIN place
    JOIN standings s ON s.board_key = place.board_key AND s.period = place.period
        AND s.user_id BETWEEN bounds.low AND bounds.high
    GROUP BY s.user_id
)
SELECT p.id::text AS user_id, p.version, p.score,
       (extract(epoch FROM p.last_at) * 1000)::bigint AS last_at, p.last_hash, p.region, p.groups,
       (extract(epoch FROM p.banned_until) * 1000)::bigint AS banned_until,
       m.version AS memo_version, m.boards AS memo_boards, m.actions::text AS memo_actions,
       coalesce(standing.rows, '[]') AS standings,
       ARRAY(SELECT l.target_id::text FROM ledger l
             WHERE l.user_id = p.id AND l.kind = 'void' AND l.user_version <= p.version) AS voided,
       stray.user_version AS stray_version, stray.entry_id::text AS stray_id,
       (extract(epoch FROM now()) * 1000)::bigint AS now
FROM page p
LEFT JOIN player_memos m ON m.user_id = p.id
LEFT JOIN standing ON standing.user_id = p.id
LEFT JOIN LATERAL (
    (SELECT l.user_version, l.entry_id FROM ledger l
     WHERE l.user_id = p.id AND l.user_version < 1 ORDER BY l.user_version LIMIT 1)
    UNION ALL
    (SELECT l.user_version, l.entry_id FROM ledger l
     WHERE l.user_id = p.id AND l.user_version > p.version ORDER BY l.user_version LIMIT 1)
    LIMIT 1
) AS stray ON true
ORDER BY p.id
