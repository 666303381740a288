package tokens

import (
	"context"
	"slices"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// MaxSelection is how many invitations are changed or printed together.
const MaxSelection = 500

// ParseSelection reads the ids of a selection, each counted once: ErrNotFound
// where one is no id or they are more than MaxSelection.
func ParseSelection(texts []string) ([]rooms.ID, error) {
	var ids []rooms.ID
	for _, text := range texts {
		id, err := rooms.ParseID(rooms.InvitationPrefix, text)
		if err != nil {
			return nil, ErrNotFound
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if len(ids) > MaxSelection {
			return nil, ErrNotFound
		}
	}
	return ids, nil
}

// RevokeAll makes the chosen invitations of the room worthless, all or none,
// and ends their admissions. It tells how many were good until then, and the
// moment by which RestoreAll knows them.
func (s *Invitations) RevokeAll(ctx context.Context, by rooms.Caller, room rooms.Room, ids []rooms.ID) (n int, at int64, err error) {
	if len(ids) == 0 {
		return 0, 0, nil
	}
	at = s.Now().UnixMilli()
	revoked, err := s.Store.RevokeAll(ctx, room.ID, ids, at, eachEvent(by, audit.InvitationRevoked, at, room))
	if len(revoked) > 0 {
		s.Removals.withdrawn(room, revoked...)
	}
	return len(revoked), at, err
}

// RestoreAll undoes a RevokeAll within UndoWindow; later it is ErrConflict,
// and ErrRoomFull as for Restore.
func (s *Invitations) RestoreAll(ctx context.Context, by rooms.Caller, room rooms.Room, at int64) (int, error) {
	now := s.Now().UnixMilli()
	n, err := s.Store.RestoreAll(ctx, room.ID, at, now-UndoWindow.Milliseconds(), eachEvent(by, audit.InvitationRestored, now, room))
	if err == nil && n == 0 {
		err = ErrConflict
	}
	return n, err
}

func eachEvent(by rooms.Caller, kind audit.Kind, at int64, room rooms.Room) func(rooms.ID) audit.Event {
	var tell audit.Tell
	if kind == audit.InvitationRevoked {
		tell = rooms.CallOff(at)
	}
	return func(id rooms.ID) audit.Event {
		return audit.Event{At: at, Actor: by.Actor, Kind: kind, Room: int64(room.ID), Invitation: int64(id), Tell: tell}
	}
}

// Select returns the chosen invitations of the room in the order in which they
// were chosen; one that is not the room's is ErrNotFound.
func (s *Invitations) Select(ctx context.Context, room rooms.Room, ids []rooms.ID) ([]Invitation, error) {
	var all []Invitation
	for _, id := range ids {
		inv, err := s.Store.ByID(ctx, id)
		if err == nil && inv.Room.ID != room.ID {
			err = ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		all = append(all, inv)
	}
	return all, nil
}

// Undoable tells whether what was revoked at that moment can still be restored.
func (s *Invitations) Undoable(at int64) bool {
	now := s.Now()
	return at <= now.UnixMilli() && time.UnixMilli(at).Add(UndoWindow).After(now)
}
