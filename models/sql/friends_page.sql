-- A page of a player's friends by their ids.
SELECT f.friend_id::text AS user_id, a.username, a.display_name, a.avatar_url,
       (extract(epoch FROM f.created_at) * 1000)::bigint AS since
FROM friends f JOIN accounts a ON a.user_id = f.friend_id
WHERE f.user_id = $1 AND f.friend_id > $2 ORDER BY f.friend_id LIMIT $3
