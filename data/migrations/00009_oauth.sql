-- +goose Up

-- What works once and was used: codes, refresh tokens. hash is one of it.
CREATE TABLE once (
    used_for TEXT   NOT NULL,
    hash     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (used_for, hash)
);

-- Apps. redirects has one a line; owner is empty for one that nobody made.
CREATE TABLE oauth_clients (
    id          TEXT   PRIMARY KEY,
    name        TEXT   NOT NULL,
    website     TEXT   NOT NULL,
    redirects   TEXT   NOT NULL,
    scopes      TEXT   NOT NULL,
    public      BIGINT NOT NULL,
    pkce        BIGINT NOT NULL,
    owner       TEXT   NOT NULL,
    credential  TEXT   NOT NULL,
    secret_hash TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);

-- What a host allowed an app at one time, with the code that says so; hashed.
CREATE TABLE oauth_grants (
    id         BIGINT PRIMARY KEY,
    client     TEXT   NOT NULL REFERENCES oauth_clients (id),
    host       TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    scopes     TEXT   NOT NULL,
    redirect   TEXT   NOT NULL,
    challenge  TEXT   NOT NULL,
    code_hash  TEXT   NOT NULL UNIQUE,
    code_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX oauth_grants_host ON oauth_grants (host, id) WHERE ended_at = 0;
CREATE INDEX oauth_grants_client ON oauth_grants (client);

-- A grant of 0 is none.
CREATE TABLE oauth_access (
    id         BIGINT PRIMARY KEY,
    grant_id   BIGINT NOT NULL,
    client     TEXT   NOT NULL,
    host       TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    scopes     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX oauth_access_over ON oauth_access (expires_at);
CREATE INDEX oauth_access_grant ON oauth_access (grant_id);

CREATE TABLE oauth_refresh (
    hash       TEXT   PRIMARY KEY,
    grant_id   BIGINT NOT NULL REFERENCES oauth_grants (id),
    scopes     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_refresh_grant ON oauth_refresh (grant_id);

CREATE TABLE api_keys (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL,
    host       TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    scopes     TEXT   NOT NULL,
    hash       TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX api_keys_host ON api_keys (host, id) WHERE ended_at = 0;

-- What an app or key did.
CREATE INDEX events_client ON events (actor, id) WHERE actor_kind = 'client';

-- +goose Down
DROP INDEX events_client;
DROP TABLE api_keys;
DROP TABLE oauth_refresh;
DROP TABLE oauth_access;
DROP TABLE oauth_grants;
DROP TABLE oauth_clients;
DROP TABLE once;
