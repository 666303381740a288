-- +goose Up

-- Since when it counts for waiting guests that a host entered: the room was closed,
-- opened, moved in time or led to another back end then.
ALTER TABLE rooms ADD COLUMN held_since BIGINT NOT NULL DEFAULT 0;

-- The back end that the last join link of the admission leads to.
ALTER TABLE admissions ADD COLUMN backend TEXT NOT NULL DEFAULT '';
UPDATE admissions SET backend = (SELECT r.backend FROM rooms r WHERE r.id = admissions.room_id) WHERE entered_at <> 0;

-- +goose Down
ALTER TABLE admissions DROP COLUMN backend;
ALTER TABLE rooms DROP COLUMN held_since;
