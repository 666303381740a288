package tokens

import (
	"context"
	"sync"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Presence keeps who is in which room now. It is the same for all instances on
// one database. Every change that has an event stores both or neither.
type Presence interface {
	// Enter notes that the admission's page is open at that moment. The event is
	// stored only on a real arrival, not while no departure was noted since.
	Enter(ctx context.Context, a Admission, at int64, ev audit.Event) error
	// Leave notes that its last page closed.
	Leave(ctx context.Context, admission rooms.ID, at int64) error
	// In lists who is in the room: seen after seen, the admission good; and whom a
	// host removed after removed. The first to come is first.
	In(ctx context.Context, room rooms.ID, seen, removed int64, limit int) ([]Present, error)
	// Guests counts the guests who hold a place in the room at that moment, as
	// Claim counts them for a room with a capacity, or is rooms.ErrNotFound.
	Guests(ctx context.Context, room rooms.ID, at int64) (int, error)
	// Depart notes, once each, the departure of those who left, or were last seen,
	// by seen, and were not removed after removed.
	Depart(ctx context.Context, seen, removed int64, ev func(p Present, room rooms.ID) audit.Event) error
	// Admission returns one of the room, or ErrNotFound.
	Admission(ctx context.Context, room, id rooms.ID) (Admission, error)
	// End takes the admission away, and returns it as that very transaction left
	// it; one that has ended stays as it is.
	End(ctx context.Context, a Admission, at int64, ev audit.Event) (Admission, error)
	// Resume gives back what End took after since; else it is ErrConflict, and
	// ErrRoomFull where the place has been taken by another.
	Resume(ctx context.Context, a Admission, since int64, ev audit.Event) error
}

// Present is somebody who is in a room. RemovedAt is set on one whom a host
// removed a moment ago, who is no longer in it.
type Present struct {
	Admission  rooms.ID
	Invitation rooms.ID
	Role       Role
	Name       string
	Since      int64
	RemovedAt  int64
}

// Lobby tells who is in the rooms now, and lets hosts remove them. It is safe
// for concurrent use.
type Lobby struct {
	Store Presence
	Now   func() time.Time
	// Removals sees those out of the conference whom a host removes.
	Removals *Removals
	Entries  EntryStore
	Handover Handover

	waiting lately[bool]
	inside  lately[map[rooms.ID]bool]
	answers lately[bool]

	mu    sync.Mutex
	pages map[rooms.ID]int
}

// How presence is kept: an open page is noted every Refresh and counts as open
// for Seen after that, so that a machine that died takes nobody with it for
// long; who comes back within Away has not left.
const (
	Refresh = 10 * time.Second
	Seen    = 25 * time.Second
	Away    = 30 * time.Second
)

// The most people a list names, and pages that one admission keeps open.
const (
	MostShown = 1000
	mostPages = 8
)

// Arrive notes that one more page of this admission is open on this machine,
// until leave is called, which it MUST be, once. It is rooms.ErrUnavailable
// where the admission has too many open.
func (l *Lobby) Arrive(ctx context.Context, in Admitted) (leave func(), err error) {
	id := in.Admission.ID
	l.mu.Lock()
	if l.pages == nil {
		l.pages = map[rooms.ID]int{}
	}
	if l.pages[id] >= mostPages {
		l.mu.Unlock()
		return nil, rooms.ErrUnavailable
	}
	l.pages[id]++
	l.mu.Unlock()
	leave = func() { l.leave(ctx, id) }
	if err := l.Stay(ctx, in); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// Stay notes that a page of this admission is still open.
func (l *Lobby) Stay(ctx context.Context, in Admitted) error {
	now := l.Now().UnixMilli()
	ev := event(audit.Actor{Kind: audit.Guest, Name: in.Admission.Name}, audit.RoomEntered, now, in.Invitation, "")
	ev.Admission = int64(in.Admission.ID)
	return l.Store.Enter(ctx, in.Admission, now, ev)
}

func (l *Lobby) leave(ctx context.Context, id rooms.ID) {
	l.mu.Lock()
	l.pages[id]--
	last := l.pages[id] == 0
	if last {
		delete(l.pages, id)
	}
	l.mu.Unlock()
	if last {
		// What this does not reach, time does.
		_ = l.Store.Leave(context.WithoutCancel(ctx), id, l.Now().UnixMilli())
	}
}

// In is who is in the room now, at most MostShown, and whom a host removed
// within UndoWindow.
func (l *Lobby) In(ctx context.Context, room rooms.ID) (in, removed []Present, err error) {
	now := l.Now()
	all, err := l.Store.In(ctx, room, now.Add(-Seen).UnixMilli(), now.Add(-UndoWindow).UnixMilli(), MostShown)
	for _, p := range all {
		if p.RemovedAt != 0 {
			removed = append(removed, p)
		} else {
			in = append(in, p)
		}
	}
	return in, removed, err
}

// Guests is how many places of the room guests hold now.
func (l *Lobby) Guests(ctx context.Context, room rooms.ID) (int, error) {
	return l.Store.Guests(ctx, room, l.Now().UnixMilli())
}

// Depart notes who has been away for long enough to have left, in all rooms.
func (l *Lobby) Depart(ctx context.Context) error {
	now := l.Now()
	return l.Store.Depart(ctx, now.Add(-Away).UnixMilli(), now.Add(-UndoWindow).UnixMilli(), func(p Present, room rooms.ID) audit.Event {
		return audit.Event{At: now.UnixMilli(), Actor: audit.Actor{Kind: audit.Guest, Name: p.Name}, Kind: audit.RoomLeft,
			Room: int64(room), Invitation: int64(p.Invitation), Admission: int64(p.Admission)}
	})
}

// Remove ends an admission to the room: its page stops at once, and answers as
// for a revoked link. The invitation stays as it is.
func (l *Lobby) Remove(ctx context.Context, by rooms.Caller, room rooms.Room, admission rooms.ID) error {
	a, err := l.Store.Admission(ctx, room.ID, admission)
	if err != nil {
		return err
	}
	now := l.Now().UnixMilli()
	a, err = l.Store.End(ctx, a, now, about(a, by, audit.AdmissionEnded, now))
	if err != nil {
		return err
	}
	l.Removals.ended(room, a)
	return nil
}

// Readmit undoes Remove within UndoWindow; later it is ErrConflict.
func (l *Lobby) Readmit(ctx context.Context, by rooms.Caller, room rooms.Room, admission rooms.ID) error {
	a, err := l.Store.Admission(ctx, room.ID, admission)
	if err != nil {
		return err
	}
	now := l.Now().UnixMilli()
	return l.Store.Resume(ctx, a, now-UndoWindow.Milliseconds(), about(a, by, audit.AdmissionResumed, now))
}

func about(a Admission, by rooms.Caller, kind audit.Kind, at int64) audit.Event {
	return audit.Event{At: at, Actor: by.Actor, Kind: kind, Room: int64(a.Room), Invitation: int64(a.Invitation), Admission: int64(a.ID)}
}
