-- Which history this database is part of, and how far it has been written: another system after a restore elsewhere,
-- another timeline after a failover or a recovery to a point in time, another table after a restore into the same server.
-- What is flushed survives a crash, what is only inserted may not: a crash is no other history. Fails on a replica that
-- only reads.
SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '/' || 'players'::regclass::oid
           AS line,
       (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS position
FROM pg_control_system()
