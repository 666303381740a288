-- +goose Up

-- Where a host is signed in. id is no secret, fresh is 1 while the host was not
-- told of a new device. Sessions from before are listed nowhere and end by
-- themselves.
ALTER TABLE sessions ADD COLUMN id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN fresh BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sessions_host ON sessions (host, created_at) WHERE host <> '';

-- How often a host signed out everywhere; host is in lower case.
CREATE TABLE host_epochs (
    host  TEXT   PRIMARY KEY,
    epoch BIGINT NOT NULL
);

-- Holds all that the list of a room looks through, so that rows that do not
-- match are not read. Nothing of it changes when an invitation is redeemed.
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id, superseded_by, revoked_at, expires_at, search);

-- +goose Down
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id);
DROP TABLE host_epochs;
DROP INDEX sessions_host;
ALTER TABLE sessions DROP COLUMN fresh;
ALTER TABLE sessions DROP COLUMN seen_at;
ALTER TABLE sessions DROP COLUMN created_at;
ALTER TABLE sessions DROP COLUMN device;
ALTER TABLE sessions DROP COLUMN host;
ALTER TABLE sessions DROP COLUMN id;
