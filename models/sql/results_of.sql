-- A board's frozen results, newest first, with their latest revisions; $2 and $3 end and period to go on behind, $4 how many.
SELECT r.id, r.period, (extract(epoch FROM r.starts_at) * 1000)::bigint AS starts,
       (extract(epoch FROM r.ends_at) * 1000)::bigint AS ends, v.revision, v.players,
       (extract(epoch FROM v.made_at) * 1000)::bigint AS made
FROM results r JOIN LATERAL (
    SELECT * FROM result_revisions v WHERE v.result = r.id ORDER BY v.revision DESC LIMIT 1) AS v ON true
WHERE r.board_id = $1 AND ($2::bigint IS NULL OR (r.ends_at, r.period) < (timestamptz 'epoch' + $2 * interval '1 millisecond', $3))
ORDER BY r.ends_at DESC, r.period DESC LIMIT $4
