package tokens

import (
	"context"
	"sync"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
)

// Removals sees those out of the conference whose right to be there has ended,
// where its back end can: in the background, so that no host waits for another
// machine. What came of it is noted in the history. It is safe for concurrent use.
type Removals struct {
	store    Store
	people   Presence
	rooms    rooms.Store
	handover Handover
	now      func() time.Time
	pauses   []time.Duration

	slots slots
	hurry chan struct{}
	late  chan struct{}
	once  sync.Once
	jobs  sync.WaitGroup
}

const (
	// removedWithin is how long one removal may take, once it was its turn.
	removedWithin = time.Minute
	// drainedWithin is how long Drain lets removals wait for their turn.
	drainedWithin = 2 * conference.Timeout
)

// NewRemovals returns Removals that ask again after each of the pauses where the
// back end could not be reached.
func NewRemovals(store Store, people Presence, rs rooms.Store, h Handover, now func() time.Time, pauses ...time.Duration) *Removals {
	return &Removals{store: store, people: people, rooms: rs, handover: h, now: now, pauses: pauses,
		hurry: make(chan struct{}), late: make(chan struct{})}
}

// Pauses are those between the attempts of a server and of the command line.
func Pauses() []time.Duration { return []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} }

// Wait returns when all that was asked for is done, or given up.
func (r *Removals) Wait() { r.jobs.Wait() }

// Drain is Wait without pauses: what is left is asked for once more and then
// given up, and so is whatever a back end keeps waiting for long.
func (r *Removals) Drain() {
	r.once.Do(func() {
		close(r.hurry)
		time.AfterFunc(drainedWithin, func() { close(r.late) })
	})
	r.jobs.Wait()
}

// withdrawn sees out whom these invitations of the room admitted.
func (r *Removals) withdrawn(room rooms.Room, invitations ...rooms.ID) {
	r.jobs.Go(func() {
		r.all(room, func(ctx context.Context) ([]Admission, error) { return r.store.HandedOut(ctx, room.ID, invitations) })
	})
}

// ended sees out whom the admission as it was let in: a host removed them, or
// they went on, on another device.
func (r *Removals) ended(room rooms.Room, was Admission) {
	r.jobs.Go(func() { r.seeOut(room, was) })
}

// Closed ends the meeting of a room that was closed, or is held elsewhere now
// than where it was. Before that it sees out all who were handed over to it: from
// a meeting that is not there nobody's token can be taken back.
func (r *Removals) Closed(was rooms.Room) {
	can := r.handover.Can(was)
	r.jobs.Go(func() {
		if can.Removes {
			r.all(was, func(ctx context.Context) ([]Admission, error) { return r.store.LedTo(ctx, was.ID, was.Backend) })
		}
		if can.Ends {
			r.end(was)
		}
	})
}

// all sees out those of the room whom list returns and whose right has not ended
// by itself, and returns when that is done.
func (r *Removals) all(room rooms.Room, list func(context.Context) ([]Admission, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), removedWithin)
	defer cancel()
	people, err := list(ctx)
	if err != nil {
		return // the database is away, and with it the history
	}
	now := r.now().UnixMilli()
	var all sync.WaitGroup
	for _, a := range people {
		if a.Live(room, now) {
			all.Go(func() { r.seeOut(room, a) })
		}
	}
	all.Wait()
}

// seeOut removes who was handed over, and notes what came of it.
func (r *Removals) seeOut(room rooms.Room, was Admission) {
	v := was.visit(room)
	if was.EnteredAt == 0 || !r.handover.Can(v.Room).Removes {
		return
	}
	kind := audit.ConferenceKept
	r.insist(v.Room.Backend, func(ctx context.Context) bool {
		if !r.wanted(ctx, was) {
			kind = ""
		} else if r.handover.Remove(ctx, v) == nil {
			kind = audit.ConferenceRemoved
		}
		return kind != audit.ConferenceKept
	})
	r.note(kind, was.subject())
}

// end ends the meeting of the room where it was, unless it goes on there again,
// and notes what came of it.
func (r *Removals) end(was rooms.Room) {
	kind := audit.ConferenceWentOn
	r.insist(was.Backend, func(ctx context.Context) bool {
		if now, err := r.rooms.ByID(ctx, was.ID); err == nil && now.ClosedAt == 0 && now.Backend == was.Backend {
			kind = ""
		} else if r.handover.End(ctx, was) == nil {
			kind = audit.ConferenceEnded
		}
		return kind != audit.ConferenceWentOn
	})
	r.note(kind, audit.Event{Room: int64(was.ID)})
}

// insist does what is asked of a back end when it is its turn there, and again
// after each pause, until do reports that it is done. Its time begins with its
// first turn, so that nobody is given up who was never asked for.
func (r *Removals) insist(backend string, do func(context.Context) bool) {
	free := r.slots.take(context.Background(), backend, r.late)
	ctx, cancel := context.WithTimeout(context.Background(), removedWithin)
	defer cancel()
	for left := len(r.pauses); free != nil; left-- {
		done := do(ctx)
		free()
		if done || left <= 0 {
			return
		}
		select {
		case <-time.After(r.pauses[len(r.pauses)-left]):
		case <-r.hurry:
			left = 1 // once more
		case <-ctx.Done():
			return
		}
		free = r.slots.take(ctx, backend, r.late)
	}
}

// wanted tells whether who came in by the admission as it was still has to go:
// a host may have taken it back, and who moved may be in anew, under the same
// name to the conference.
func (r *Removals) wanted(ctx context.Context, was Admission) bool {
	now, err := r.people.Admission(ctx, was.Room, was.ID)
	if err != nil {
		return true
	}
	inv, err := r.store.ByID(ctx, was.Invitation)
	if err != nil {
		return true
	}
	moved := now.Browser != was.Browser && now.EnteredAt == was.EnteredAt
	return moved || now.EndedAt != 0 || inv.Withdrawn() != nil || inv.Room.Backend != was.Backend
}

// note stores the outcome, if there is one; where that fails nothing depends on it.
func (r *Removals) note(kind audit.Kind, about audit.Event) {
	if kind == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), conference.Timeout)
	defer cancel()
	about.At, about.Kind, about.Actor = r.now().UnixMilli(), kind, audit.Actor{Kind: audit.System, Name: "conference"}
	_ = r.store.Note(ctx, about)
}

// subject is an event about the admission.
func (a Admission) subject() audit.Event {
	return audit.Event{Room: int64(a.Room), Invitation: int64(a.Invitation), Admission: int64(a.ID)}
}
