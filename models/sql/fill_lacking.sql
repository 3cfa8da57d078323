-- A page of players whose memo does not vouch for all of the boards $2, after a player; also those without a memo.
SELECT p.id::text AS user_id, coalesce(m.version, 0) AS version, coalesce(m.boards, '{}') AS boards
FROM players p LEFT JOIN player_memos m ON m.user_id = p.id
WHERE p.id > $1::uuid AND p.version > 0 AND (m.version IS NULL OR NOT m.boards @> $2::text[])
ORDER BY p.id LIMIT 2000
