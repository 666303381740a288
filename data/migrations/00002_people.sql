-- +goose Up

-- 0 is no limit.
ALTER TABLE rooms ADD COLUMN capacity BIGINT NOT NULL DEFAULT 0;

-- An argon2id hash, or nothing.
ALTER TABLE invitations ADD COLUMN pin TEXT NOT NULL DEFAULT '';

-- Who is in a room.
CREATE INDEX admissions_room ON admissions (room_id, id) WHERE ended_at = 0;

-- +goose Down
DROP INDEX admissions_room;
ALTER TABLE invitations DROP COLUMN pin;
ALTER TABLE rooms DROP COLUMN capacity;
