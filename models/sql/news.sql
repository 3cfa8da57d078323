-- What every pod must know: notices of the last seconds; what was revoked in that time, or ever when $2 says so, and
-- still counts; who is banned now. The erased are not: they would be ever more, and their actors refuse them.
SELECT 'notice' AS what, id, topic, subject, NULL::float8 AS until FROM control
WHERE at >= now() - $1 * interval '1 second'
UNION ALL
SELECT 'revocation', NULL, kind, subject, extract(epoch FROM until)::float8 FROM revocations
WHERE until > now() AND ($2 OR at >= now() - $1 * interval '1 second')
UNION ALL
SELECT 'ban', NULL, NULL, id::text, extract(epoch FROM banned_until)::float8 FROM players
WHERE banned_until > now() AND banned_until < timestamptz '9999-12-31 23:59:59.5+00'
