-- Gives players more history: $1 redemptions in all, spread evenly over players and over the time until now. An entry is
-- worth ten points, and ten more for each of up to $2 that chance gives the player.
-- What derives from the ledger (players' rows, standings, memos) is brought along. Hashes are of the right length only.
CREATE FUNCTION bench_fill(total bigint, spread integer DEFAULT 0) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    players_count bigint;
    first timestamptz;
    step interval;
BEGIN
    CREATE TEMP TABLE numbered ON COMMIT DROP AS
        SELECT id, version, score, 10 * (1 + (hashtext(id::text) & 65535) % (spread + 1)) AS worth,
               row_number() OVER (ORDER BY id) - 1 AS n FROM players;
    SELECT count(*) INTO players_count FROM numbered;
    SELECT greatest(max(last_at), now() - interval '20 days') INTO first FROM players;
    first := coalesce(first, now() - interval '20 days');
    step := (clock_timestamp() - first) / (total + 1);
    CREATE INDEX ON numbered (n);
    ANALYZE numbered;
    INSERT INTO ledger (entry_id, kind, user_id, user_version, action_id, action_revision, delta, score_after, at,
                        effective_at, region, groups, meta, hash, hash_version, audit_key)
    SELECT uuidv7(at - clock_timestamp()), 'redeem', p.id, p.version + 1 + i / players_count, 'sprint', 1, p.worth,
           p.score + p.worth * (1 + i / players_count), at, at, NULL, '{}',
           jsonb_build_object('issuedAt', (extract(epoch FROM at) * 1000)::bigint), sha256(i::text::bytea), 1, 'bench'
    FROM generate_series(0, total - 1) AS i
    CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', first + (i + 1) * step) AS at) AS t
    JOIN numbered p ON p.n = i % players_count
    ORDER BY i;
    UPDATE players SET version = l.user_version, score = l.score_after, last_at = l.at, last_hash = l.hash
    FROM (SELECT DISTINCT ON (user_id) user_id, user_version, score_after, at, hash
          FROM ledger ORDER BY user_id, user_version DESC) AS l
    WHERE players.id = l.user_id;
    DELETE FROM standings;
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT b.board_id || '/' || b.revision, w.period, l.user_id, sum(l.delta),
           (extract(epoch FROM max(l.at)) * 1000)::bigint, max(l.user_version), true, false
    FROM boards b
    CROSS JOIN LATERAL (
        SELECT CASE b."window" WHEN 'all' THEN 'all' ELSE to_char(now() AT TIME ZONE 'UTC', CASE b."window"
                   WHEN 'day' THEN 'YYYY-MM-DD' WHEN 'week' THEN 'IYYY"-W"IW' ELSE 'YYYY-MM' END) END AS period,
               CASE b."window" WHEN 'all' THEN '-infinity' ELSE date_trunc(b."window", now(), 'UTC') END AS since
        WHERE b."window" <> 'season'
    ) AS w
    JOIN ledger l ON l.at >= w.since
    GROUP BY 1, 2, 3;
    DELETE FROM player_memos;
    INSERT INTO player_memos (user_id, version, boards, actions)
    SELECT id, version, (SELECT array_agg(board_id || '/' || revision) FROM boards),
           jsonb_build_object('sprint', jsonb_build_array(
               (extract(epoch FROM last_at) * 1000)::bigint, floor(extract(epoch FROM last_at) / 86400)::bigint, 1))
    FROM players;
    INSERT INTO marks (name, at) VALUES ('standings', now()) ON CONFLICT (name) DO UPDATE SET at = excluded.at;
    RETURN total;
END
$$;
