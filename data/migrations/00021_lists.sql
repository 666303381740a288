-- +goose Up

-- Names and texts alone: what else lists ask by name they see in the rows.
DROP INDEX invitations_name;
CREATE INDEX invitations_name ON invitations (room_id, search COLLATE "C", id);

-- +goose Down
DROP INDEX invitations_name;
CREATE INDEX invitations_name ON invitations (room_id, search COLLATE "C", id, superseded_by, revoked_at, role);
