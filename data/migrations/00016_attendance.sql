-- +goose Up

-- When somebody came by a link that this one replaced, 0 where nobody did.
ALTER TABLE invitations ADD COLUMN came_before BIGINT NOT NULL DEFAULT 0;

-- When all was removed from it that tells who was invited, 0 while it is there.
ALTER TABLE invitations ADD COLUMN nameless_at BIGINT NOT NULL DEFAULT 0;

-- By the mail address in lower case, which is the end of search, everything about
-- one person is found.
CREATE INDEX invitations_address ON invitations ((SUBSTR(search, LENGTH(search) - LENGTH(email) + 1))) WHERE email <> '';

-- What a link took the place of, and what shares its uses with another.
CREATE INDEX invitations_replaced ON invitations (superseded_by) WHERE superseded_by <> 0;
CREATE INDEX invitations_shared ON invitations (counter) WHERE counter <> id;

-- Of all the links in whose place one is, the first by which somebody came.
UPDATE invitations SET came_before = COALESCE((
    WITH RECURSIVE earlier (id, counter) AS (
        SELECT o.id, o.counter FROM invitations o WHERE o.superseded_by = invitations.id AND o.superseded_by <> 0
        UNION
        SELECT o.id, o.counter FROM earlier e JOIN invitations o ON o.superseded_by = e.id AND o.superseded_by <> 0
    )
    SELECT MIN(c.redeemed_at) FROM earlier e JOIN invitations c ON c.id = e.counter WHERE c.uses > 0
), 0) WHERE counter = id AND id IN (SELECT superseded_by FROM invitations WHERE superseded_by <> 0);

-- Holds all that the list of a room looks through, and its list of guests.
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id, superseded_by, revoked_at, expires_at, counter, uses, max_uses, role, came_before, search);

CREATE INDEX moves_invitation ON moves (invitation_id);

-- Who was turned away, and why.
CREATE INDEX events_refused ON events (room_id, invitation_id, detail, at) WHERE kind = 'invitation.refused';

-- +goose Down
DROP INDEX events_refused;
DROP INDEX moves_invitation;
DROP INDEX invitations_room;
CREATE INDEX invitations_room ON invitations (room_id, id, superseded_by, revoked_at, expires_at, counter, uses, max_uses, role, search);
DROP INDEX invitations_shared;
DROP INDEX invitations_replaced;
DROP INDEX invitations_address;
ALTER TABLE invitations DROP COLUMN nameless_at;
ALTER TABLE invitations DROP COLUMN came_before;
