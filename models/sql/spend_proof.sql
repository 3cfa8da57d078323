-- Uses a proof of work up; no row when it was used before. On the way it clears a few that have long expired.
WITH expired AS (
    DELETE FROM spent_proofs WHERE proof IN (
        SELECT proof FROM spent_proofs WHERE expires_at < now() - interval '1 hour' LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO spent_proofs (proof, expires_at) VALUES ($1, to_timestamp($2::bigint))
ON CONFLICT DO NOTHING RETURNING 1 AS spent
