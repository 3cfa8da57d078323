-- Makes the next revision of a result: $1 result, $2 player, $3 and $4 score and time (null: no longer there), $5 the void.
-- Nothing is written when nothing differs. Of two who revise at once one fails at the key of revisions, and tries again.
WITH latest AS (
    SELECT revision, players FROM result_revisions WHERE result = $1 ORDER BY revision DESC LIMIT 1
), held AS (
    SELECT h.score, h.reached_at, h.since FROM result_rows h, latest
    WHERE h.result = $1 AND h.user_id = $2 AND latest.revision BETWEEN h.since AND h.until
      AND (h.score, h.reached_at) IS DISTINCT FROM ($3::bigint, $4::bigint)
), revision AS (
    INSERT INTO result_revisions (result, revision, players, cause)
    SELECT $1, latest.revision + 1, latest.players - ($3::bigint IS NULL)::int, $5 FROM latest, held
    RETURNING revision
), closed AS (
    UPDATE result_rows r SET until = revision.revision - 1 FROM revision, held
    WHERE r.result = $1 AND r.user_id = $2 AND r.since = held.since
), added AS (
    INSERT INTO result_rows (result, user_id, score, reached_at, since)
    SELECT $1, $2, $3, $4, revision.revision FROM revision WHERE $3::bigint IS NOT NULL
)
SELECT revision FROM revision
