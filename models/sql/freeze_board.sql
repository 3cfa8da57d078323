-- Shows everybody but admins the rows under a key from now on ($2 and $3 null: the live ones). Tells every pod.
WITH changed AS (
    UPDATE boards SET frozen_key = $2::text, frozen_period = $3::text,
                      frozen_at = CASE WHEN $2::text IS NULL THEN NULL ELSE now() END
    WHERE board_id = $1 AND (frozen_key IS NULL) <> ($2::text IS NULL)
    RETURNING board_id
), told AS (INSERT INTO control (topic, subject) SELECT 'boards', board_id FROM changed)
SELECT board_id FROM changed
