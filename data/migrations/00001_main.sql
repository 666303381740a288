-- +goose Up

CREATE TABLE rooms (
    id          BIGINT PRIMARY KEY,
    slug        TEXT   NOT NULL UNIQUE,
    name        TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    timezone    TEXT   NOT NULL,
    backend     TEXT   NOT NULL,
    external_id TEXT   NOT NULL,
    locale      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL
);
CREATE INDEX rooms_owner ON rooms (owner, id);

-- counter is the invitation whose row counts the uses: its own id, or that of
-- the one it was reissued from where both links were kept. search is name and
-- email in lower case.
CREATE TABLE invitations (
    id              BIGINT PRIMARY KEY,
    room_id         BIGINT NOT NULL REFERENCES rooms (id),
    role            TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    email           TEXT   NOT NULL,
    max_uses        BIGINT NOT NULL,
    uses            BIGINT NOT NULL,
    not_before      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_kind TEXT   NOT NULL,
    created_by      TEXT   NOT NULL,
    redeemed_at     BIGINT NOT NULL,
    revoked_at      BIGINT NOT NULL,
    opened_at       BIGINT NOT NULL,
    superseded_by   BIGINT NOT NULL,
    counter         BIGINT NOT NULL,
    external_id     TEXT   NOT NULL,
    locale          TEXT   NOT NULL,
    search          TEXT   NOT NULL
);
CREATE INDEX invitations_room ON invitations (room_id, id);

-- nonce and browser are hashes. One person's use of one invitation is one row,
-- which is what makes a retry the same use.
CREATE TABLE admissions (
    id            BIGINT PRIMARY KEY,
    invitation_id BIGINT NOT NULL REFERENCES invitations (id),
    nonce         TEXT   NOT NULL,
    room_id       BIGINT NOT NULL,
    role          TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    browser       TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    UNIQUE (invitation_id, nonce)
);
CREATE INDEX admissions_browser ON admissions (browser, room_id, id) WHERE browser <> '';

-- The history. A subject of 0 means that the event is about none.
CREATE TABLE events (
    id            BIGINT PRIMARY KEY,
    at            BIGINT NOT NULL,
    actor_kind    TEXT   NOT NULL,
    actor         TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    room_id       BIGINT NOT NULL,
    invitation_id BIGINT NOT NULL,
    admission_id  BIGINT NOT NULL,
    detail        TEXT   NOT NULL
);
CREATE INDEX events_room ON events (room_id, id);
CREATE INDEX events_invitation ON events (invitation_id, id);

-- box is the key sealed under the root secret, in base64.
CREATE TABLE keys (
    id        TEXT   PRIMARY KEY,
    used_for  TEXT   NOT NULL,
    alg       TEXT   NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at   BIGINT NOT NULL,
    box       TEXT   NOT NULL
);

-- The host that is made where HOST_USERS names none.
CREATE TABLE generated_hosts (
    username      TEXT   PRIMARY KEY,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

-- Addresses from which a host signed in before; hashed.
CREATE TABLE known_addresses (
    host    TEXT   NOT NULL,
    address TEXT   NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (host, address)
);

-- token is a hash; content is base64.
CREATE TABLE sessions (
    token      TEXT   PRIMARY KEY,
    content    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE known_addresses;
DROP TABLE generated_hosts;
DROP TABLE keys;
DROP TABLE events;
DROP TABLE admissions;
DROP TABLE invitations;
DROP TABLE rooms;
