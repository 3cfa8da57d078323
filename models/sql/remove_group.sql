-- Forgets a closed group that is empty. The ten seconds are longer than a join that began before the closing may take.
DELETE FROM groups
WHERE group_id = $1 AND closed_at < now() - interval '10 seconds'
  AND NOT EXISTS (SELECT FROM players WHERE $1 = ANY(players.groups))
