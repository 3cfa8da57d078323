-- Groups that may be joined, by id, behind a given one.
SELECT group_id, title FROM groups
WHERE closed_at IS NULL AND group_id COLLATE "C" > $1 ORDER BY group_id COLLATE "C" LIMIT $2
