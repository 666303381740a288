-- +goose Up

-- Who is in a room: one row an admission, while its page is open or was a moment
-- ago. left_at is when its last stream closed; gone is 1 once the departure is in
-- the history; removed_at is when a host ended the admission.
CREATE TABLE presence (
    admission_id BIGINT PRIMARY KEY,
    room_id      BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    left_at      BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL,
    gone         BIGINT NOT NULL
);
CREATE INDEX presence_here ON presence (room_id, since) WHERE gone = 0;

-- +goose Down
DROP TABLE presence;
