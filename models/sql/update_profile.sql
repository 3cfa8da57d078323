-- Changes what others see of a player, and tells every pod when it did. $2/$4 whether name/avatar are given.
WITH changed AS (
    UPDATE accounts SET
        display_name = CASE WHEN $2::bool THEN $3::text ELSE display_name END,
        avatar_url = CASE WHEN $4::bool THEN $5::text ELSE avatar_url END,
        updated_at = now()
    WHERE user_id = $1
      AND (($2 AND display_name IS DISTINCT FROM $3) OR ($4 AND avatar_url IS DISTINCT FROM $5))
    RETURNING user_id
)
INSERT INTO control (topic, subject) SELECT 'profile', user_id::text FROM changed
