-- Removes some rows of a key that no board has any more.
DELETE FROM standings WHERE ctid = ANY (ARRAY(SELECT ctid FROM standings WHERE board_key = $1 LIMIT $2))
RETURNING 1 AS gone
