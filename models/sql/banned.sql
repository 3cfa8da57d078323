-- Who is banned now, and until when. The erased are not: they would be ever more, and their actors refuse them.
SELECT id::text, (extract(epoch FROM banned_until) * 1000)::bigint AS until FROM players
WHERE banned_until > now() AND banned_until < timestamptz '9999-12-31 23:59:59.5+00'
