-- +goose Up

-- What must be told to others, and how that stands. kind is who carries it, word
-- what is told; send_key names one send, so that it happens once. lease is the
-- worker that has it in hand, until leased_until. No row holds a link.
CREATE TABLE deliveries (
    id            BIGINT PRIMARY KEY,
    send_key      TEXT   NOT NULL UNIQUE,
    kind          TEXT   NOT NULL,
    word          TEXT   NOT NULL,
    room_id       BIGINT NOT NULL,
    invitation_id BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    settled_at    BIGINT NOT NULL,
    lease         TEXT   NOT NULL,
    leased_until  BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (kind, due_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_handing ON deliveries (kind, leased_until) WHERE state = 'handing';
CREATE INDEX deliveries_invitation ON deliveries (invitation_id, id);
-- What a room's page counts is in the index.
CREATE INDEX deliveries_room ON deliveries (room_id, state, kind, invitation_id, id);
CREATE INDEX deliveries_invited ON deliveries (invitation_id, state) WHERE word = 'invited';

-- +goose Down
DROP TABLE deliveries;
