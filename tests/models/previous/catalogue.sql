-- Every revision of every action, and which of them is present.
SELECT r.action_id, r.revision, r.title, r.points, r.min_seconds, r.max_seconds, r.cooldown_seconds, r.daily_limit,
       r.overlap, r.ticket, r.proof, a.enabled, a.revision = r.revision AS present
FROM action_revisions r JOIN actions a USING (action_id) ORDER BY r.action_id, r.revision
