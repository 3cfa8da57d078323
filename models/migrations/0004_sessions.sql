-- One log-in and everything renewed from it: a family of refresh tokens. Goes with the account.
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    -- When the last access token of this session ends: a revocation has to be remembered that long.
    access_until timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Refresh tokens, hashed. Used ones stay with their session, so that a second use is known as one.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_used ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;

-- What every pod must refuse although it is signed and not expired: a session or a player, until a time.
-- Pods poll it by `at`. A table of its own: older pods stop hearing notices of a kind they do not know.
CREATE TABLE revocations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (kind IN ('session', 'player')),
    subject text NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX revocations_at ON revocations (at);
CREATE INDEX revocations_until ON revocations (until);

-- Whoever erases an account, however: its tokens are good no more. None lives longer than a year.
CREATE FUNCTION revoke_player() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocations (kind, subject, until) VALUES ('player', OLD.user_id::text, now() + interval '366 days');
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_erased AFTER DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION revoke_player();
