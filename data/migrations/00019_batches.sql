-- +goose Up

-- What was minted together: the invitations from id to last, whose ids have no
-- gap. wish is a hash of the press or call that asked for it, which counts once.
CREATE TABLE batches (
    id              BIGINT PRIMARY KEY,
    last            BIGINT NOT NULL,
    room_id         BIGINT NOT NULL REFERENCES rooms (id),
    wish            TEXT   NOT NULL UNIQUE,
    created_at      BIGINT NOT NULL,
    created_by_kind TEXT   NOT NULL,
    created_by      TEXT   NOT NULL
);
CREATE INDEX batches_room ON batches (room_id, id);

-- +goose Down
DROP TABLE batches;
