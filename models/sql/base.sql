-- The newest base of a player whose month is archived: what older entries fold to. $1 the player.
SELECT b.version, b.boards, b.state, b.audit_key, b.seal
FROM ledger_bases b JOIN ledger_archives a ON a.month = b.month
WHERE b.user_id = $1 ORDER BY b.month DESC LIMIT 1
