-- +goose Up

-- 1 once an invitation to it was queued as a mail; it may be 0 for a while after.
-- Of those with 0 the index has those that may be sent one, so that to count them
-- is to look at no more.
ALTER TABLE invitations ADD COLUMN mailed BIGINT NOT NULL DEFAULT 0;
UPDATE invitations SET mailed = 1 WHERE id IN (SELECT invitation_id FROM deliveries WHERE word = 'invited');
CREATE INDEX invitations_unmailed ON invitations (room_id, expires_at)
    WHERE mailed = 0 AND email <> '' AND superseded_by = 0 AND revoked_at = 0 AND uses < max_uses;

-- 0 once a later one to the same invitation went out, or did not.
ALTER TABLE deliveries ADD COLUMN latest BIGINT NOT NULL DEFAULT 1;
UPDATE deliveries SET latest = 0 WHERE state IN ('sent', 'refused', 'doubtful') AND EXISTS (SELECT 1 FROM deliveries n
    WHERE n.invitation_id = deliveries.invitation_id AND n.id > deliveries.id AND n.state IN ('sent', 'refused', 'doubtful'));
DROP INDEX deliveries_room;
CREATE INDEX deliveries_room ON deliveries (room_id, state, kind, latest);

-- When the next delivery of a kind may begin, at whichever instance: in
-- microseconds, by PostgreSQL's clock. A SQLite file has one instance and no row here.
CREATE TABLE paces (
    kind    TEXT   PRIMARY KEY,
    next_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE paces;
DROP INDEX deliveries_room;
ALTER TABLE deliveries DROP COLUMN latest;
CREATE INDEX deliveries_room ON deliveries (room_id, state, kind, invitation_id, id);
DROP INDEX invitations_unmailed;
ALTER TABLE invitations DROP COLUMN mailed;
