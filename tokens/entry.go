package tokens

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
)

// EntryStore keeps for whom join links were handed out, under the terms of Store.
type EntryStore interface {
	// HandOut notes that a join link is handed out for the admission at that
	// moment, which leads to a.Backend, and stores the event unless one was handed
	// out after since. It is ErrConflict, and nothing has changed, where in that very
	// transaction the admission has ended or belongs to another browser, its
	// invitation is withdrawn, or its room closed or held elsewhere.
	HandOut(ctx context.Context, a Admission, at, since int64, ev audit.Event) error
	// Entered lists for whom of the room join links were handed out after since
	// and whose admission holds at that moment, the first to come first.
	Entered(ctx context.Context, room rooms.ID, since, at int64, limit int) ([]Present, error)
	// HostIn tells whether a host is among them who entered where the room is held
	// now, after it was last closed, opened, moved in time or led to another back end.
	HostIn(ctx context.Context, room rooms.ID, since, at int64) (bool, error)
	// HandedOut returns the admissions by these invitations of the room for which a
	// join link was ever handed out.
	HandedOut(ctx context.Context, room rooms.ID, invitations []rooms.ID) ([]Admission, error)
	// LedTo returns the room's admissions that have not ended whose last join link
	// leads to that back end.
	LedTo(ctx context.Context, room rooms.ID, backend string) ([]Admission, error)
	// HostNames are what hosts of the room were admitted as, each once.
	HostNames(ctx context.Context, room rooms.ID) ([]string, error)
	// Note stores an event about what happened elsewhere.
	Note(ctx context.Context, ev audit.Event) error
}

// enteredAgain is how long entering again is the same line of the history.
const enteredAgain = time.Minute

// handOut notes that a join link leaves for this admission now. It is
// ErrConflict when that must not be any more.
func (s *Invitations) handOut(ctx context.Context, in Admitted) error {
	if in.JoinLink == "" {
		return nil
	}
	now := s.Now().UnixMilli()
	ev := event(audit.Actor{Kind: audit.Guest, Name: in.Admission.Name}, audit.ConferenceEntered, now, in.Invitation, "")
	ev.Admission = int64(in.Admission.ID)
	in.Admission.Backend = in.Invitation.Room.Backend
	return s.Store.HandOut(ctx, in.Admission, now, now-enteredAgain.Milliseconds(), ev)
}

// Held is ErrWaiting, as a Refusal, for a guest where the back end makes
// whoever comes first a host, and no host is there yet.
func (s *Invitations) Held(ctx context.Context, inv Invitation) error {
	if inv.Role == Host || !s.Handover.Can(inv.Room).Holds {
		return nil
	}
	in, err := hostIn(ctx, s.Store, inv.Room, s.Now())
	if err == nil && !in {
		return Refusal{ErrWaiting, inv}
	}
	return err
}

// HostStays is for how long a host counts as being inside where the room has no
// end: nobody tells when the last one leaves.
const HostStays = 4 * time.Hour

// hostIn tells whether a join link was handed out for a host whose admission is
// good, and not longer ago than HostStays, or than an admission lasts where the
// room has an end: yesterday's host has left.
func hostIn(ctx context.Context, s EntryStore, room rooms.Room, now time.Time) (bool, error) {
	within := HostStays
	if room.EndsAt != 0 {
		within = Stay
	}
	return s.HostIn(ctx, room.ID, now.Add(-within).UnixMilli(), now.UnixMilli())
}

// visit is how the back end meets whom the admission lets in: the room's own as
// it is now, and for one who was handed over the one they were handed over to.
func (a Admission) visit(room rooms.Room) conference.Visit {
	if a.EnteredAt != 0 {
		room.Backend = a.Backend
	}
	return conference.Visit{Room: room, Admission: a.ID, Role: string(a.Role), Name: a.Name, Until: a.Until(room)}
}

// Admits is Invitation.Check and what only the room as it is now can say: nil,
// or the first reason against a new person, but for what only claiming tells.
func (s *Invitations) Admits(ctx context.Context, inv Invitation) error {
	if err := inv.Check(s.Now().UnixMilli()); err != nil {
		return err
	}
	return s.Held(ctx, inv)
}

// Remaining tells whether join links were handed out by the invitation, and until
// when the last of them opens the door, whatever happens here.
func (s *Invitations) Remaining(ctx context.Context, inv Invitation) (until int64, entered bool, err error) {
	list, err := s.Store.HandedOut(ctx, inv.Room.ID, []rooms.ID{inv.ID})
	for _, a := range list {
		until = max(until, a.EnteredAt+s.Handover.Lasts(a.visit(inv.Room)).Milliseconds())
	}
	return until, len(list) > 0, err
}

// anew does what depends on rows that may change meanwhile, again when they did.
func anew(do func() error) error {
	for range 3 {
		if err := do(); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return rooms.ErrUnavailable
}
