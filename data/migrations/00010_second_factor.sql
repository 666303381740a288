-- +goose Up

-- A host's second factor; host is in lower case, box the sealed secret.
CREATE TABLE second_factors (
    host  TEXT   PRIMARY KEY,
    box   TEXT   NOT NULL,
    since BIGINT NOT NULL
);

-- What stands in for it when it is lost; hashed.
CREATE TABLE recovery_codes (
    host TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (host, hash)
);

-- The token that goes on into the host's present epoch, hashed, or nothing.
ALTER TABLE host_epochs ADD COLUMN spared TEXT NOT NULL DEFAULT '';

-- What admins decide in the dashboard.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- +goose Down
DROP TABLE settings;
ALTER TABLE host_epochs DROP COLUMN spared;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
