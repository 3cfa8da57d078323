-- Removes some rows of a key that no board has any more, whatever the pod that asks has heard of.
DELETE FROM standings WHERE ctid = ANY (ARRAY(SELECT ctid FROM standings WHERE board_key = $1 LIMIT $2))
    AND NOT EXISTS (SELECT FROM boards WHERE board_id || '/' || revision = $1 OR frozen_key = $1)
RETURNING 1 AS gone
