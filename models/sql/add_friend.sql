-- Adds a friend if both have accounts and there is room. Two at once may pass the limit by one.
WITH facts AS (
    SELECT EXISTS (SELECT FROM accounts WHERE user_id = $2) AS known,
           EXISTS (SELECT FROM accounts WHERE user_id = $1) AS own,
           (SELECT count(*) FROM friends WHERE user_id = $1 AND friend_id <> $2) < $3 AS room
), added AS (
    INSERT INTO friends (user_id, friend_id) SELECT $1, $2 FROM facts WHERE known AND own AND room
    ON CONFLICT DO NOTHING
)
SELECT known, own, room FROM facts
