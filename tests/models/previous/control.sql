-- The notices of the last seconds, oldest first.
SELECT id, topic, subject FROM control WHERE at >= now() - $1 * interval '1 second' ORDER BY id
