-- Players with entries, from a point on in the order of their ids, round to the first ones. $1 the point, $2 how many.
(SELECT p.id::text FROM players p WHERE id >= $1 AND version > 0 ORDER BY p.id LIMIT $2)
UNION ALL
(SELECT p.id::text FROM players p WHERE id < $1 AND version > 0 ORDER BY p.id LIMIT $2)
LIMIT $2
