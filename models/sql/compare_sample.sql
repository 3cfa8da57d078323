-- Players with entries, from a point on in the order of their ids, round to the first ones. $1 the point, $2 how many.
(SELECT id::text FROM players WHERE id >= $1 AND version > 0 ORDER BY id LIMIT $2)
UNION ALL
(SELECT id::text FROM players WHERE id < $1 AND version > 0 ORDER BY id LIMIT $2)
LIMIT $2
