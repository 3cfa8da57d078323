-- One frozen result in one revision, or in its latest ($3 null).
SELECT r.id, r.period, (extract(epoch FROM r.starts_at) * 1000)::bigint AS starts,
       (extract(epoch FROM r.ends_at) * 1000)::bigint AS ends, v.revision, v.players,
       (extract(epoch FROM v.made_at) * 1000)::bigint AS made
FROM results r JOIN result_revisions v ON v.result = r.id
WHERE r.board_id = $1 AND r.period = $2 AND ($3::int IS NULL OR v.revision = $3)
ORDER BY v.revision DESC LIMIT 1
