-- +goose Up

-- A list that was minted is one line of its room's history instead of thousands;
-- that of each invitation is made from its row.
UPDATE events SET kind = 'invitations.minted', invitation_id = 0,
    detail = (SELECT CAST(b.last - b.id + 1 AS TEXT) FROM batches b WHERE b.id = events.invitation_id)
    WHERE kind = 'invitation.minted' AND invitation_id IN (SELECT id FROM batches);
DELETE FROM events WHERE kind = 'invitation.minted' AND invitation_id <> 0 AND EXISTS (SELECT 1 FROM batches b
    WHERE b.room_id = events.room_id AND b.id < events.invitation_id AND b.last >= events.invitation_id);

-- +goose Down
DELETE FROM events WHERE kind = 'invitations.minted';
INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
    SELECT i.id, i.created_at, i.created_by_kind, i.created_by, 'invitation.minted', i.room_id, i.id, 0, ''
    FROM batches b JOIN invitations i ON i.id BETWEEN b.id AND b.last;
