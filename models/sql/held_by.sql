-- Tickets that Laurel keeps for a player.
SELECT ticket_id::text, (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at
FROM held_tickets h WHERE user_id = $1 ORDER BY h.ticket_id
