-- +goose Up

-- A host's own apps, and how many nobody made; and all of them, the latest first.
CREATE INDEX oauth_clients_owner ON oauth_clients (owner) WHERE ended_at = 0;
CREATE INDEX oauth_clients_made ON oauth_clients (created_at, id) WHERE ended_at = 0;

-- +goose Down
DROP INDEX oauth_clients_made;
DROP INDEX oauth_clients_owner;
