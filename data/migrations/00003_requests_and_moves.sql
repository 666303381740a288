-- +goose Up

-- Who asked for a new link. browser is a hash; answer is the invitation that
-- was made for it, 0 where none was.
CREATE TABLE requests (
    id            BIGINT PRIMARY KEY,
    invitation_id BIGINT NOT NULL REFERENCES invitations (id),
    room_id       BIGINT NOT NULL,
    browser       TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    closed_at     BIGINT NOT NULL,
    answer        BIGINT NOT NULL
);
CREATE UNIQUE INDEX requests_open ON requests (invitation_id, browser) WHERE closed_at = 0;
CREATE INDEX requests_room ON requests (room_id, id) WHERE closed_at = 0;
CREATE INDEX requests_browser ON requests (invitation_id, browser, id);

-- How often its people moved to another device, and how often beyond the first
-- time a host allows it.
ALTER TABLE invitations ADD COLUMN moves BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN more_moves BIGINT NOT NULL DEFAULT 0;

-- code is a hash, browser that of the device which is left.
CREATE TABLE moves (
    code          TEXT   PRIMARY KEY,
    admission_id  BIGINT NOT NULL REFERENCES admissions (id),
    invitation_id BIGINT NOT NULL,
    room_id       BIGINT NOT NULL,
    browser       TEXT   NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT NOT NULL
);
CREATE INDEX moves_admission ON moves (admission_id) WHERE used_at = 0;
CREATE INDEX moves_left ON moves (browser, room_id) WHERE used_at <> 0;

-- +goose Down
DROP TABLE moves;
ALTER TABLE invitations DROP COLUMN more_moves;
ALTER TABLE invitations DROP COLUMN moves;
DROP TABLE requests;
