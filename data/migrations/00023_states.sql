-- +goose Up

-- What was taken back or replaced: few in most rooms, and found without looking at
-- all, nor at their rows. The uses are in no such index, since each claim would pay for it.
CREATE INDEX invitations_revoked ON invitations (room_id, id, superseded_by, revoked_at, role, search) WHERE revoked_at <> 0;
CREATE INDEX invitations_superseded ON invitations (room_id, id, superseded_by, revoked_at, role, search) WHERE superseded_by <> 0;

-- The invitations by mail that a host can stop still.
CREATE INDEX deliveries_stoppable ON deliveries (room_id, id) WHERE state = 'waiting' AND kind = 'mail' AND word = 'invited';

-- It cost a list that is minted a quarter of its time. Who has an address is found
-- by the texts of the rooms.
DROP INDEX invitations_address;

-- +goose Down
CREATE INDEX invitations_address ON invitations ((SUBSTR(search, LENGTH(search) - LENGTH(email) + 1))) WHERE email <> '';
DROP INDEX deliveries_stoppable;
DROP INDEX invitations_superseded;
DROP INDEX invitations_revoked;
