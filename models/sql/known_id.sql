-- What is known under an id: the held ticket, and whether the ledger has its redemption.
SELECT (SELECT ticket FROM held_tickets WHERE ticket_id = $1::uuid) AS ticket,
       EXISTS (SELECT FROM ledger WHERE entry_id = $1::uuid AND kind = 'redeem') AS recorded
