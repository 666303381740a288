-- +goose Up

-- How the guest wishes to come in, as a query, or nothing.
ALTER TABLE invitations ADD COLUMN wishes TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE invitations DROP COLUMN wishes;
