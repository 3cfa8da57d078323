-- Adds an action that is not there yet, and tells every pod; no row when it is.
WITH rules AS (
    INSERT INTO action_revisions (action_id, revision, title, points, min_seconds, max_seconds, cooldown_seconds,
                                  daily_limit, overlap, ticket, proof)
    VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING action_id
), added AS (INSERT INTO actions (action_id, revision, enabled) SELECT action_id, 1, $11 FROM rules)
INSERT INTO control (topic, subject) SELECT 'catalogue', '' FROM rules RETURNING id
