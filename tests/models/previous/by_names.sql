-- The accounts of names, in the order given.
SELECT a.user_id::text, a.role FROM unnest($1::text[]) WITH ORDINALITY AS n (name, number)
JOIN accounts a ON a.username_key = lower(n.name) ORDER BY n.number
