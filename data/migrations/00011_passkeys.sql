-- +goose Up

-- By what a host's passkeys know the host: random, and never the name; host is in lower case.
CREATE TABLE passkey_handles (
    host   TEXT PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE
);

-- What hosts sign in with beside or instead of a password. credential is what the
-- authenticator calls it, public_key its COSE key, both in base64; flags are those
-- of its first answer (WebAuthn, 6.1).
CREATE TABLE passkeys (
    id         BIGINT PRIMARY KEY,
    host       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    credential TEXT   NOT NULL UNIQUE,
    public_key TEXT   NOT NULL,
    flags      BIGINT NOT NULL,
    sign_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX passkeys_host ON passkeys (host, id);

-- +goose Down
DROP TABLE passkeys;
DROP TABLE passkey_handles;
