-- Teams and guilds. Who is in one stands in `players.groups`, changed by `move` entries alone.
CREATE TABLE groups (
    group_id text PRIMARY KEY CHECK (group_id ~ '^[a-z0-9-]{1,64}$'),
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- A closed group takes nobody any more; it goes when its last member has been moved out.
    closed_at timestamptz
);

-- Whom a player compares with: one way, and nobody else's business.
CREATE TABLE friends (
    user_id uuid NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    friend_id uuid NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, friend_id),
    CHECK (user_id <> friend_id)
);
CREATE INDEX friends_friend ON friends (friend_id);
