-- +goose Up

-- How often the room's window moved, or it was closed or opened: a calendar believes
-- the file of an invitation whose number is higher. The invitation's own counts what
-- happened to it alone. The appointment is the invitation whose place in calendars a
-- new link took, 0 for its own.
ALTER TABLE rooms ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN appointment BIGINT NOT NULL DEFAULT 0;

-- Rooms that were made together, by the id of the first: how often they come, which
-- of how many this one is. A room on its own has 0, and nothing.
ALTER TABLE rooms ADD COLUMN series BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN series_every TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN series_nth BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN series_size BIGINT NOT NULL DEFAULT 0;
CREATE INDEX rooms_series ON rooms (series, series_nth) WHERE series <> 0;

-- +goose Down
DROP INDEX rooms_series;
ALTER TABLE rooms DROP COLUMN series_size;
ALTER TABLE rooms DROP COLUMN series_nth;
ALTER TABLE rooms DROP COLUMN series_every;
ALTER TABLE rooms DROP COLUMN series;
ALTER TABLE invitations DROP COLUMN appointment;
ALTER TABLE invitations DROP COLUMN sequence;
ALTER TABLE rooms DROP COLUMN sequence;
