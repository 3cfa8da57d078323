-- Keys of other servers that may give awards, and proofs of work that have been used.

-- One row for a key; a client may have several, so that they can be changed. Only the secret's SHA-256 is kept.
CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    client_id text NOT NULL CHECK (client_id ~ '^[a-z0-9-]{1,64}$'),
    title text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    actions text[] NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- A row is the single use of a challenge; of no interest after its expiry.
CREATE TABLE spent_proofs (
    proof bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_proofs_expiry ON spent_proofs (expires_at);
