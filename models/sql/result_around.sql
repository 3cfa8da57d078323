-- Rows around a player in a frozen result, in rank order: $1 result, $2 revision, $3 who, $4 how many above and below at
-- most; none when the player is not in it.
WITH own AS (
    SELECT user_id, score, reached_at FROM result_rows
    WHERE result = $1::bigint AND $2::int BETWEEN since AND until AND user_id = $3::uuid
)
SELECT a.user_id::text, a.score, a.reached_at FROM (
    SELECT * FROM own
    UNION ALL
    SELECT above.* FROM own CROSS JOIN LATERAL (
        SELECT r.user_id, r.score, r.reached_at FROM result_rows r
        WHERE r.result = $1 AND $2 BETWEEN r.since AND r.until AND r.score >= own.score
        AND (r.score > own.score
             OR (r.reached_at < own.reached_at OR (r.reached_at = own.reached_at AND r.user_id > own.user_id)))
        ORDER BY r.score ASC, r.reached_at DESC, r.user_id ASC LIMIT $4) AS above
    UNION ALL
    SELECT below.* FROM own CROSS JOIN LATERAL (
        SELECT r.user_id, r.score, r.reached_at FROM result_rows r
        WHERE r.result = $1 AND $2 BETWEEN r.since AND r.until AND r.score <= own.score
        AND (r.score < own.score
             OR (r.reached_at > own.reached_at OR (r.reached_at = own.reached_at AND r.user_id < own.user_id)))
        ORDER BY r.score DESC, r.reached_at ASC, r.user_id DESC LIMIT $4) AS below
) AS a ORDER BY a.score DESC, a.reached_at ASC, a.user_id DESC
