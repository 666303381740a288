package tokens

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// DoorUndo is how long who lets people in at a door may undo it.
const DoorUndo = 10 * time.Second

// DoorStore undoes what was done at a door, under the terms of Store.
type DoorStore interface {
	// GiveBack ends the admission and gives its use back to the counter, whose
	// latest use is then that of the latest admission left.
	//
	// It is ErrConflict, and nothing has changed, unless in that very statement the
	// admission has not ended, was made after since, is no browser's, and no join
	// link was handed out for it.
	GiveBack(ctx context.Context, a Admission, counter rooms.ID, since int64, ev audit.Event) error
	// Forestall stores that ended admission under its invitation and that nonce, so
	// that a claim which comes later finds it, or returns the one there is, and has
	// changed nothing. It takes no use. It is rooms.ErrIDTaken when the id was used.
	Forestall(ctx context.Context, a Admission, nonce string, ev audit.Event) (Admission, error)
}

// Undo takes back, within DoorUndo, what that redemption did at a door; again,
// it changes nothing. Where it took no use, nothing was to be done.
//
// The use is given back and the link stays: a new link in its place, even one
// that shares its uses, would leave a guest with a printed code that is used. The
// nonce is spent for good, so that a belated copy of the redemption admits nobody,
// and neither does one that comes after its undoing.
// The error is ErrInvalidLink, a Refusal, the store's, or ErrConflict when it was
// too late.
func (s *Invitations) Undo(ctx context.Context, r Redemption) (Invitation, error) {
	inv, err := s.reached(ctx, r)
	if err != nil {
		return inv, err
	}
	nonce, now := hashNonce(r.Actor, r.Browser, r.Nonce), s.Now().UnixMilli()
	ev := event(r.Actor, audit.InvitationReturned, now, inv, "")
	a, err := s.Store.Admission(ctx, inv.ID, nonce)
	if errors.Is(err, ErrNotFound) {
		none := Admission{ID: s.IDs.Next(now), Invitation: inv.ID, Room: inv.Room.ID, Role: inv.Role, CreatedAt: now, EndedAt: now, Returned: true}
		ev.Admission = int64(none.ID)
		a, err = s.Store.Forestall(ctx, none, nonce, ev)
	}
	if errors.Is(err, rooms.ErrIDTaken) {
		s.IDs.Skip()
		err = rooms.ErrUnavailable // another machine made this id: whoever asks again gets another
	}
	if err != nil || a.Returned {
		return inv, err
	}
	ev.Admission = int64(a.ID)
	if err := s.Store.GiveBack(ctx, a, inv.Counter, now-DoorUndo.Milliseconds(), ev); err != nil {
		return inv, err
	}
	return s.Store.ByID(ctx, inv.ID)
}
