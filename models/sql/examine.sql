-- How the server is set up, who uses it, and how far the ledger's months reach.
SELECT current_setting('server_version') AS server_version, current_setting('server_version_num')::int AS version_number,
       pg_is_in_recovery() AS in_recovery, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('autovacuum') AS autovacuum, current_setting('data_checksums') AS data_checksums,
       current_setting('max_connections')::int AS max_connections,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       used.connections, used.own, used.active, used.stuck, months.partitions, months.months_ahead,
       (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass('ledger_other')) AS other_rows
FROM (SELECT count(*) AS connections,
             count(*) FILTER (WHERE application_name LIKE 'laurel%') AS own,
             count(*) FILTER (WHERE application_name LIKE 'laurel%' AND state = 'active') AS active,
             count(*) FILTER (WHERE xact_start < now() - interval '1 minute' AND datname = current_database()) AS stuck
      FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
     (SELECT count(*) AS partitions,
             count(*) FILTER (WHERE c.relname > 'ledger_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')) AS months_ahead
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass('ledger') AND c.relname ~ '^ledger_\d{4}_\d{2}$') AS months
