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

	slots chan struct{}
	hurry chan struct{}
	once  sync.Once
	jobs  sync.WaitGroup
}

const (
	// removedAtOnce is how many are removed at the same time.
	removedAtOnce = 8
	// removedWithin is how long one change's removals may take altogether.
	removedWithin = time.Minute
)

// NewRemovals returns Removals that ask again after each of the pauses where the
// back end could not be reached.
func NewRemovals(store Store, people Presence, rs rooms.Store, h Handover, now func() time.Time, pauses ...time.Duration) *Removals {
	return &Removals{store: store, people: people, rooms: rs, handover: h, now: now, pauses: pauses,
		slots: make(chan struct{}, removedAtOnce), hurry: make(chan struct{})}
}

// Pauses are those between the attempts of a server and of the command line.
func Pauses() []time.Duration { return []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} }

// Wait returns when all that was asked for is done, or given up.
func (r *Removals) Wait() { r.jobs.Wait() }

// Drain is Wait without pauses: what is left is asked for once more and then
// given up.
func (r *Removals) Drain() {
	r.once.Do(func() { close(r.hurry) })
	r.jobs.Wait()
}

// withdrawn sees out whom these invitations of the room admitted.
func (r *Removals) withdrawn(room rooms.Room, invitations ...rooms.ID) {
	if !r.handover.Can(room).Removes {
		return
	}
	r.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removedWithin)
		defer cancel()
		list, err := r.store.HandedOut(ctx, invitations)
		if err != nil {
			return // the database is away, and with it the history
		}
		now := r.now().UnixMilli()
		var inside []Admission
		for _, a := range list {
			if a.Live(room, now) {
				inside = append(inside, a)
			}
		}
		r.seeOut(ctx, room, inside)
	})
}

// ended sees out whom the admission as it was let in: a host removed them, or
// they went on, on another device.
func (r *Removals) ended(room rooms.Room, was Admission) {
	if was.EnteredAt == 0 || !r.handover.Can(room).Removes {
		return
	}
	r.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removedWithin)
		defer cancel()
		r.seeOut(ctx, room, []Admission{was})
	})
}

// Closed ends the meeting of a room that was closed.
func (r *Removals) Closed(room rooms.Room) {
	if !r.handover.Can(room).Ends {
		return
	}
	r.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removedWithin)
		defer cancel()
		kind := audit.ConferenceWentOn
		r.attempts(ctx, func() bool {
			if now, err := r.rooms.ByID(ctx, room.ID); err == nil && now.ClosedAt == 0 {
				kind = "" // it was opened again meanwhile
			} else if r.handover.End(ctx, room) == nil {
				kind = audit.ConferenceEnded
			}
			return kind != audit.ConferenceWentOn
		})
		r.note(kind, audit.Event{Room: int64(room.ID)})
	})
}

// seeOut removes each, and notes what came of it.
func (r *Removals) seeOut(ctx context.Context, room rooms.Room, left []Admission) {
	r.attempts(ctx, func() bool {
		left = r.pass(ctx, room, left)
		return len(left) == 0
	})
	for _, a := range left {
		r.note(audit.ConferenceKept, a.subject())
	}
}

// attempts runs do until it reports that all is done, at most once more than
// there are pauses.
func (r *Removals) attempts(ctx context.Context, do func() bool) {
	for _, pause := range r.pauses {
		if do() {
			return
		}
		select {
		case <-time.After(pause):
		case <-r.hurry:
			do()
			return
		case <-ctx.Done():
			return
		}
	}
	do()
}

// pass tries each once and returns those for whom it did not work.
func (r *Removals) pass(ctx context.Context, room rooms.Room, list []Admission) (left []Admission) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, a := range list {
		r.slots <- struct{}{}
		all.Go(func() {
			defer func() { <-r.slots }()
			if !r.wanted(ctx, a) {
				return
			}
			err := r.handover.Remove(ctx, conference.Visit{Room: room, Admission: a.ID, Role: string(a.Role), Name: a.Name, Until: a.Until(room)})
			if err == nil {
				r.note(audit.ConferenceRemoved, a.subject())
				return
			}
			mu.Lock()
			defer mu.Unlock()
			left = append(left, a)
		})
	}
	all.Wait()
	return left
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
	return moved || now.EndedAt != 0 || inv.Withdrawn() != nil
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
