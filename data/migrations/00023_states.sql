-- +goose Up

-- What was taken back or replaced: few in most rooms, and found without looking at
-- all. The uses are in no such index, since each claim would pay for it.
CREATE INDEX invitations_revoked ON invitations (room_id, id) WHERE revoked_at <> 0;
CREATE INDEX invitations_superseded ON invitations (room_id, id) WHERE superseded_by <> 0;

-- +goose Down
DROP INDEX invitations_superseded;
DROP INDEX invitations_revoked;
