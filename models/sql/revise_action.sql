-- Changes an action whose present revision is still $12, and tells every pod; no row when somebody came first.
-- Other rules are a new revision; whether it is enabled is the action's own.
WITH present AS (
    SELECT a.action_id, a.revision FROM actions a WHERE a.action_id = $1 AND a.revision = $12 FOR UPDATE
), revised AS (
    INSERT INTO action_revisions (action_id, revision, title, points, min_seconds, max_seconds, cooldown_seconds,
                                  daily_limit, overlap, ticket, proof)
    SELECT p.action_id, p.revision + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10
    FROM present p JOIN action_revisions r USING (action_id, revision)
    WHERE (r.title, r.points, r.min_seconds, r.max_seconds, r.cooldown_seconds, r.overlap, r.ticket, r.proof)
        IS DISTINCT FROM ($2::text, $3::bigint, $4::int, $5::int, $6::int, $8::text, $9::text, $10::text)
       OR r.daily_limit IS DISTINCT FROM $7::int
    RETURNING revision
), changed AS (
    UPDATE actions SET revision = coalesce((SELECT revision FROM revised), actions.revision), enabled = $11
    FROM present WHERE actions.action_id = present.action_id RETURNING actions.action_id
)
INSERT INTO control (topic, subject) SELECT 'catalogue', '' FROM changed RETURNING id
