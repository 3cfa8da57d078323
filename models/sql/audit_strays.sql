-- Rows that no walk along players comes by, at most one of each sort; $1 a player, or null for all.
(SELECT l.user_id::text, l.user_version, l.entry_id::text, 'its player does not exist' AS fault
 FROM ledger l WHERE ($1::uuid IS NULL OR l.user_id = $1) AND NOT EXISTS (SELECT FROM players p WHERE p.id = l.user_id)
 LIMIT 1)
UNION ALL
(SELECT l.user_id::text, l.user_version, l.entry_id::text, 'its target could be voided again: the key of this void is gone'
 FROM ledger l WHERE ($1::uuid IS NULL OR l.user_id = $1) AND l.kind = 'void' AND NOT EXISTS (
     SELECT FROM idempotency_keys k
     WHERE k.scope = 'void' AND k.key = l.target_id::text AND k.entry_id = l.entry_id)
 LIMIT 1)
UNION ALL
(SELECT NULL, NULL, k.entry_id::text, format('the idempotency key %L of scope %L names this entry, which does not exist', k.key, k.scope)
 FROM idempotency_keys k WHERE $1 IS NULL AND NOT EXISTS (SELECT FROM ledger l WHERE l.entry_id = k.entry_id)
   AND k.entry_id >= coalesce((SELECT uuid7_floor((max(month) + interval '1 month') AT TIME ZONE 'UTC') FROM ledger_archives),
                              '00000000-0000-0000-0000-000000000000')
 LIMIT 1)
UNION ALL
(SELECT l.user_id::text, l.user_version, l.entry_id::text, format('the key of a void of %s names this entry, which is no such void', k.key)
 FROM idempotency_keys k JOIN ledger l ON l.entry_id = k.entry_id
 WHERE ($1::uuid IS NULL OR l.user_id = $1) AND k.scope = 'void'
   AND (l.kind <> 'void' OR l.target_id::text IS DISTINCT FROM k.key)
 LIMIT 1)
UNION ALL
(SELECT s.user_id::text, s.version, NULL, format('a standing on %s in %s, but the player does not exist', s.board_key, s.period)
 FROM standings s WHERE ($1::uuid IS NULL OR s.user_id = $1) AND NOT EXISTS (SELECT FROM players p WHERE p.id = s.user_id)
 LIMIT 1)
UNION ALL
(SELECT m.user_id::text, m.version, NULL, 'a memo, but the player does not exist'
 FROM player_memos m WHERE ($1::uuid IS NULL OR m.user_id = $1) AND NOT EXISTS (SELECT FROM players p WHERE p.id = m.user_id)
 LIMIT 1)
LIMIT 1
