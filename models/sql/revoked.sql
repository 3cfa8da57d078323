-- What was revoked in the last seconds, or ever when none are given, and still counts.
SELECT kind, subject, extract(epoch FROM until)::float8 AS until FROM revocations
WHERE until > now() AND ($1::int IS NULL OR at >= now() - $1::int * interval '1 second')
