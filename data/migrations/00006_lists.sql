-- +goose Up

-- Holds all that the list of a room looks through, so that rows that do not
-- match are not read. A redemption changes it beside the row itself: whether uses
-- are left is asked more often than anything else.
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id, superseded_by, revoked_at, expires_at, counter, uses, max_uses, role, search);

-- The same by name, but for uses: a redemption leaves it alone.
CREATE INDEX invitations_name ON invitations (room_id, search COLLATE "C", id, superseded_by, revoked_at, role);

CREATE INDEX invitations_external ON invitations (room_id, external_id, id) WHERE external_id <> '';

-- +goose Down
DROP INDEX invitations_external;
DROP INDEX invitations_name;
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id, superseded_by, revoked_at, expires_at, search);
