-- Keeps a signed ticket for a client that can only send its id.
INSERT INTO held_tickets (ticket_id, user_id, ticket, expires_at)
VALUES ($1, $2, $3, timestamptz 'epoch' + $4 * interval '1 millisecond')
