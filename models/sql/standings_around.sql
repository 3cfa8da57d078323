-- Rows around a player in rank order: $3 who, $4 how many above and below at most; none when the player is not there.
WITH own AS (
    SELECT user_id, score, reached_at FROM standings
    WHERE board_key = $1 AND period = $2 AND user_id = $3 AND present AND NOT hidden
)
SELECT a.user_id::text, a.score, a.reached_at FROM (
    SELECT * FROM own
    UNION ALL
    SELECT above.* FROM own CROSS JOIN LATERAL (
        SELECT s.user_id, s.score, s.reached_at FROM standings s
        WHERE s.board_key = $1 AND s.period = $2 AND s.present AND NOT s.hidden AND s.score >= own.score
        AND (s.score > own.score
             OR (s.reached_at < own.reached_at OR (s.reached_at = own.reached_at AND s.user_id > own.user_id)))
        ORDER BY s.score ASC, s.reached_at DESC, s.user_id ASC LIMIT $4) AS above
    UNION ALL
    SELECT below.* FROM own CROSS JOIN LATERAL (
        SELECT s.user_id, s.score, s.reached_at FROM standings s
        WHERE s.board_key = $1 AND s.period = $2 AND s.present AND NOT s.hidden AND s.score <= own.score
        AND (s.score < own.score
             OR (s.reached_at > own.reached_at OR (s.reached_at = own.reached_at AND s.user_id < own.user_id)))
        ORDER BY s.score DESC, s.reached_at ASC, s.user_id DESC LIMIT $4) AS below
) AS a ORDER BY a.score DESC, a.reached_at ASC, a.user_id DESC
