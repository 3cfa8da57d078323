-- The first schema. Times are timestamptz; scores stay within what a double holds exactly.

-- A player's present state, guarded by its version. No index but the key, so that updates stay heap-only.
CREATE TABLE players (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0,
    score bigint NOT NULL DEFAULT 0 CHECK (score BETWEEN -9007199254740991 AND 9007199254740991),
    last_at timestamptz,
    last_hash bytea,
    region text,
    groups text[] NOT NULL DEFAULT '{}',
    banned_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
-- Bans are few: every pod reads them all, often.
CREATE INDEX players_banned ON players (banned_until) WHERE banned_until IS NOT NULL;

-- Who a player is. Nothing of this is in the ledger, so that it can be erased.
CREATE TABLE accounts (
    user_id uuid PRIMARY KEY REFERENCES players (id),
    username text NOT NULL,
    username_key text NOT NULL UNIQUE,
    display_name text NOT NULL,
    avatar_url text,
    password_hash text,
    issuer text,
    subject text,
    role text NOT NULL DEFAULT 'player' CHECK (role IN ('player', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issuer, subject)
);

-- The only truth: append-only, one row for every bump of a player's version. The key is the single use of a ticket.
CREATE TABLE ledger (
    entry_id uuid PRIMARY KEY,
    kind text NOT NULL,
    user_id uuid NOT NULL,
    user_version bigint NOT NULL,
    action_id text,
    action_revision integer,
    delta bigint NOT NULL,
    score_after bigint NOT NULL,
    at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    target_id uuid,
    region text,
    groups text[] NOT NULL,
    caller text,
    meta jsonb NOT NULL,
    hash bytea NOT NULL,
    hash_version smallint NOT NULL,
    audit_key text NOT NULL
) PARTITION BY RANGE (entry_id);

CREATE TABLE ledger_other PARTITION OF ledger DEFAULT;
CREATE INDEX ledger_user ON ledger (user_id, user_version);
-- Entries arrive in the order of their time, so a block range index finds the young ones and costs nothing to write.
CREATE INDEX ledger_at ON ledger USING brin (at) WITH (pages_per_range = 16, autosummarize = on);

-- The smallest UUIDv7 of a moment: bounds of the ledger's partitions.
CREATE FUNCTION uuid7_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Makes the monthly partitions from a moment's month on, where they are missing.
CREATE FUNCTION ledger_partitions(moment timestamptz, months integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
    first timestamptz;
    name text;
BEGIN
    FOR n IN 0 .. months - 1 LOOP
        -- Months are added to a time without zone: with one, the session's own zone would decide what a month is.
        first := (date_trunc('month', moment AT TIME ZONE 'UTC') + make_interval(months => n)) AT TIME ZONE 'UTC';
        name := 'ledger_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF ledger FOR VALUES FROM (%L) TO (%L)', name,
                uuid7_floor(first),
                uuid7_floor(date_trunc('month', first + interval '32 days', 'UTC')));
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;
SELECT ledger_partitions(now() - interval '31 days', 14);

-- Callers' own names for their requests, kept for good.
CREATE TABLE idempotency_keys (
    scope text NOT NULL,
    key text NOT NULL,
    entry_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Signed tickets that Laurel keeps for clients that can only send a UUID.
CREATE TABLE held_tickets (
    ticket_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES players (id),
    ticket text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Rules of actions never change; a changed action has a new revision.
CREATE TABLE action_revisions (
    action_id text NOT NULL CHECK (action_id ~ '^[a-z0-9-]{1,64}$'),
    revision integer NOT NULL,
    title text NOT NULL,
    points bigint NOT NULL,
    min_seconds integer NOT NULL,
    max_seconds integer NOT NULL,
    cooldown_seconds integer NOT NULL,
    daily_limit integer,
    overlap text NOT NULL CHECK (overlap IN ('forbid', 'allow')),
    ticket text NOT NULL CHECK (ticket IN ('required', 'instant')),
    proof text NOT NULL CHECK (proof IN ('none', 'always', 'adaptive')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (action_id, revision)
);

CREATE TABLE actions (
    action_id text PRIMARY KEY,
    revision integer NOT NULL,
    enabled boolean NOT NULL,
    FOREIGN KEY (action_id, revision) REFERENCES action_revisions (action_id, revision)
);

CREATE TABLE boards (
    board_id text PRIMARY KEY CHECK (board_id ~ '^[a-z0-9-]{1,64}$'),
    revision integer NOT NULL,
    title text NOT NULL,
    fold text NOT NULL CHECK (fold IN ('sum', 'best', 'last')),
    "window" text NOT NULL CHECK ("window" IN ('all', 'day', 'week', 'month', 'season')),
    time_zone text NOT NULL DEFAULT 'UTC',
    season text,
    starts_at timestamptz,
    ends_at timestamptz,
    actions text[],
    region text,
    "group" text,
    top_size integer NOT NULL DEFAULT 10 CHECK (top_size BETWEEN 1 AND 100),
    position integer NOT NULL DEFAULT 0
);
INSERT INTO boards (board_id, revision, title, fold, "window", position) VALUES
    ('global', 1, 'All time', 'sum', 'all', 0),
    ('weekly', 1, 'This week', 'sum', 'week', 1);

-- Derived: what a player's entries fold to, one row for a board, a period and a player. The newer version wins.
CREATE TABLE standings (
    board_key text NOT NULL,
    period text NOT NULL,
    user_id uuid NOT NULL,
    score bigint NOT NULL,
    reached_at bigint NOT NULL,
    version bigint NOT NULL,
    present boolean NOT NULL,
    hidden boolean NOT NULL,
    PRIMARY KEY (board_key, period, user_id)
);
CREATE INDEX standings_order ON standings (board_key, period, score DESC, reached_at, user_id DESC)
    WHERE present AND NOT hidden;

-- Derived: up to which version a player's standings are written, and the player's memory of actions.
CREATE TABLE player_memos (
    user_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    boards text[] NOT NULL,
    actions jsonb NOT NULL
);

-- How far work that any pod may do has come.
CREATE TABLE marks (
    name text PRIMARY KEY,
    at timestamptz NOT NULL
);

-- Work that one pod does at a time: who does it, and until when it is theirs.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL
);

-- What every pod must hear also without Redis.
CREATE TABLE control (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    topic text NOT NULL,
    subject text NOT NULL
);
CREATE INDEX control_at ON control (at);
