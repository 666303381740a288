package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// record stores the event in the transaction of the change it describes, and
// queues what is to be told of it. An id that another machine made in the same
// millisecond is made anew.
func (t *tx) record(ids *rooms.IDs, ev audit.Event) error {
	if ev.Tell.Word != "" {
		if err := t.tell(ids, ev); err != nil {
			return err
		}
	}
	for {
		n, err := t.exec(`INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
			int64(ids.Next(ev.At)), ev.At, string(ev.Actor.Kind), ev.Actor.Name, string(ev.Kind), ev.Room, ev.Invitation, ev.Admission, ev.Detail)
		if err != nil || n == 1 {
			return err
		}
		ids.Skip()
	}
}

const eventColumns = `SELECT id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail FROM events`

func scanEvent(row rowScanner) (ev audit.Event, err error) {
	err = row.Scan(&ev.ID, &ev.At, &ev.Actor.Kind, &ev.Actor.Name, &ev.Kind, &ev.Room, &ev.Invitation, &ev.Admission, &ev.Detail)
	return ev, err
}

// Events implements rooms.Store.
func (s *Rooms) Events(ctx context.Context, room, before rooms.ID, limit int) ([]audit.Event, error) {
	return list(ctx, s.db, scanEvent, eventColumns+` WHERE room_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, int64(room), upTo(before), limit)
}

// Events implements tokens.Store. What was minted with a list begins with a line of
// its own, which is made here: it says what the row says, and has the row's id. A
// program before 00022 that still runs beside this one stores that line.
func (s *Invitations) Events(ctx context.Context, invitation, before rooms.ID, limit int) ([]audit.Event, error) {
	return list(ctx, s.db, scanEvent, eventColumns+` WHERE invitation_id = $1 AND id < $2
		UNION ALL SELECT i.id, i.created_at, i.created_by_kind, i.created_by, CAST($4 AS TEXT), i.room_id, i.id, 0, '' FROM invitations i
			WHERE i.id = $1 AND i.id < $2 AND EXISTS (SELECT 1 FROM batches b WHERE b.room_id = i.room_id AND b.id <= i.id AND b.last >= i.id)
				AND NOT EXISTS (SELECT 1 FROM events e WHERE e.invitation_id = i.id AND e.kind = CAST($4 AS TEXT))
		ORDER BY id DESC LIMIT $3`, int64(invitation), upTo(before), limit, string(audit.InvitationMinted))
}

// upTo is the bound of a page that goes on after an id, or begins for 0.
func upTo(before rooms.ID) int64 {
	if before == 0 {
		return 1<<63 - 1
	}
	return int64(before)
}
