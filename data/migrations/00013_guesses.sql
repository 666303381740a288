-- +goose Up

-- Until when wrong guesses weigh, in Unix milliseconds. account is a kind of
-- guesser and one of 65536 accounts, which are names' by a secret that is not here.
CREATE TABLE guesses (
    account      TEXT   PRIMARY KEY,
    weighs_until BIGINT NOT NULL
);
CREATE INDEX known_addresses_address ON known_addresses (address);

-- The hosts of the latest start: secret tells one password from another, by a key
-- that is not here, and is empty while there is no such host; named is 0 for the
-- host that was generated; host is in lower case.
CREATE TABLE host_secrets (
    host   TEXT   PRIMARY KEY,
    secret TEXT   NOT NULL,
    named  BIGINT NOT NULL
);

-- Invitations by which hosts went into their own rooms with one press; host is in
-- lower case, sign_in the session in which it was, 0 where there is none.
CREATE TABLE host_entries (
    invitation_id BIGINT PRIMARY KEY REFERENCES invitations (id),
    host          TEXT   NOT NULL,
    sign_in       BIGINT NOT NULL
);
CREATE INDEX host_entries_host ON host_entries (host);

-- +goose Down
DROP TABLE host_entries;
DROP TABLE host_secrets;
DROP INDEX known_addresses_address;
DROP TABLE guesses;
