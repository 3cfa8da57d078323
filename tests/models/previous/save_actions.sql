-- Adds or changes actions: what differs from its latest revision becomes a new one. Tells every pod.
WITH given AS (
    SELECT g.*, coalesce((SELECT max(revision) FROM action_revisions r WHERE r.action_id = g.action_id), 0) AS latest
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[],
                $8::text[], $9::text[], $10::text[], $11::bool[])
        AS g (action_id, title, points, min_seconds, max_seconds, cooldown_seconds, daily_limit,
              overlap, ticket, proof, enabled)
), revised AS (
    INSERT INTO action_revisions (action_id, revision, title, points, min_seconds, max_seconds, cooldown_seconds,
                                  daily_limit, overlap, ticket, proof)
    SELECT action_id, latest + 1, title, points, min_seconds, max_seconds, cooldown_seconds, daily_limit,
           overlap, ticket, proof
    FROM given g
    WHERE NOT EXISTS (
        SELECT FROM action_revisions r WHERE r.action_id = g.action_id AND r.revision = g.latest
        AND (r.title, r.points, r.min_seconds, r.max_seconds, r.cooldown_seconds, r.overlap, r.ticket, r.proof)
          = (g.title, g.points, g.min_seconds, g.max_seconds, g.cooldown_seconds, g.overlap, g.ticket, g.proof)
        AND r.daily_limit IS NOT DISTINCT FROM g.daily_limit)
    RETURNING action_id, revision
), told AS (INSERT INTO control (topic, subject) VALUES ('catalogue', ''))
INSERT INTO actions (action_id, revision, enabled)
SELECT g.action_id, coalesce(r.revision, g.latest), g.enabled FROM given g LEFT JOIN revised r USING (action_id)
ON CONFLICT (action_id) DO UPDATE SET revision = excluded.revision, enabled = excluded.enabled
RETURNING action_id
