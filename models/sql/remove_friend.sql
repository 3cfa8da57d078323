-- Takes a friend off the list, if on it; says whether there is such a player.
WITH removed AS (
    DELETE FROM friends WHERE user_id = $1 AND friend_id = $2
)
SELECT EXISTS (SELECT FROM accounts WHERE user_id = $2) AS known
