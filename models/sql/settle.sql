-- Writes standings; a row of a newer version wins.
INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bool[], $8::bool[])
ON CONFLICT (board_key, period, user_id) DO UPDATE SET
    score = excluded.score, reached_at = excluded.reached_at, version = excluded.version,
    present = excluded.present, hidden = excluded.hidden
WHERE standings.version < excluded.version
