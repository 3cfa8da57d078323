-- Commits proposals of many players: those whose version still holds and whose entry is new win, and are returned.
-- One row of the arrays, which come as text, is one proposal, at most one a player, sorted by player. An array that is
-- NULL is a column of NULLs.
WITH proposal AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text::uuid[], $2::text::bigint[], $3::text::bigint[], $4::text::uuid[], $5::text::text[],
        $6::text::text[], $7::text::int[], $8::text::bigint[], $9::text::bigint[], $10::text::bigint[],
        $11::text::uuid[], $12::text::text[], $13::text::text[], $14::text::text[], $15::text::text[],
        $16::text::bytea[], $17::text::text[], $18::text::bigint[], $19::text::text[], $20::text::text[],
        $21::text::bytea[]
    ) AS p (user_id, version, score, entry_id, kind, action_id, action_revision, delta,
            at, effective_at, target_id, region, groups, caller, meta,
            hash, audit_key, banned_until, scope, key, request_hash)
),
-- The version is checked again under the row's lock; the order of locks is the same everywhere.
locked AS MATERIALIZED (
    SELECT p.*, timestamptz 'epoch' + p.at * interval '1 millisecond' AS stamp
    FROM proposal p JOIN players ON players.id = p.user_id
    WHERE players.version = p.version
      AND NOT EXISTS (SELECT FROM ledger WHERE ledger.entry_id = p.entry_id)
      AND p.at BETWEEN (extract(epoch FROM now()) * 1000)::bigint - 10000
                   AND (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 10000
    ORDER BY players.id
    FOR NO KEY UPDATE OF players
),
-- One taken key leaves its own proposal out, never the batch.
claimed AS (
    INSERT INTO idempotency_keys (scope, key, entry_id, request_hash)
    SELECT scope, key, entry_id, request_hash FROM locked WHERE key IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING entry_id
),
winner AS MATERIALIZED (
    SELECT * FROM locked WHERE key IS NULL OR entry_id IN (SELECT entry_id FROM claimed)
),
updated AS (
    UPDATE players SET
        version = winner.version + 1,
        score = winner.score,
        last_at = winner.stamp,
        last_hash = winner.hash,
        region = CASE WHEN winner.kind = 'move' THEN winner.region ELSE players.region END,
        groups = CASE WHEN winner.kind = 'move' THEN winner.groups::text[] ELSE players.groups END,
        banned_until = timestamptz 'epoch' + winner.banned_until * interval '1 millisecond'
    FROM winner WHERE players.id = winner.user_id
)
INSERT INTO ledger (entry_id, kind, user_id, user_version, action_id, action_revision, delta, score_after, at,
                    effective_at, target_id, region, groups, caller, meta, hash, hash_version, audit_key)
SELECT entry_id, kind, user_id, version + 1, action_id, action_revision, delta, score, stamp,
       timestamptz 'epoch' + effective_at * interval '1 millisecond',
       target_id, region, groups::text[], caller, meta::jsonb, hash, 1, audit_key
FROM winner
RETURNING entry_id::text
