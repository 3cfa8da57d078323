-- Months of the ledger that are archived: from then on their bases count.
CREATE TABLE ledger_archives (
    month date PRIMARY KEY,
    entries bigint NOT NULL,
    digest text NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now()
);

-- The state that a player's entries up to an archived month fold to: younger ones are folded on top of it.
CREATE TABLE ledger_bases (
    user_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    boards text[] NOT NULL,
    state bytea NOT NULL,
    audit_key text NOT NULL,
    seal bytea NOT NULL,
    PRIMARY KEY (user_id, month)
);

-- A new partition locks `ledger_other`. Whoever reads it for long, as a backup does, must not make everybody else queue
-- up behind the one who waits for that lock.
ALTER FUNCTION ledger_partitions(timestamptz, integer) SET lock_timeout = '100ms';
