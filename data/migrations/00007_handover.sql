-- +goose Up

-- When a join link was last handed out for the admission, 0 while none was.
ALTER TABLE admissions ADD COLUMN entered_at BIGINT NOT NULL DEFAULT 0;

-- Whom a room's conference let in, and whether a host is among them.
CREATE INDEX admissions_entered ON admissions (room_id, role, entered_at) WHERE entered_at <> 0;

-- +goose Down
DROP INDEX admissions_entered;
ALTER TABLE admissions DROP COLUMN entered_at;
