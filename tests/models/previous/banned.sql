-- Who is banned now, and until when.
SELECT id::text, (extract(epoch FROM banned_until) * 1000)::bigint AS until FROM players WHERE banned_until > now()
