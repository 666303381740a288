package conference

import (
	"context"
	"fmt"
	"time"

	"admitone/rooms"
)

// Abilities are what a room's back end can do beyond building join links.
type Abilities struct {
	Holds   bool // guests have to wait for a host
	Removes bool // somebody inside can be removed
	Ends    bool // the meeting can be ended for everybody
	Tells   bool // it tells who is inside
}

// Can tells what the room's back end can do: nothing, for the lobby and for one
// that is configured no more.
func (b *Backends) Can(r rooms.Room) (can Abilities) {
	p := b.byName[r.Backend]
	if h, ok := p.(Holder); ok {
		can.Holds = h.HoldsGuests()
	}
	_, can.Removes = p.(Remover)
	_, can.Ends = p.(Ender)
	_, can.Tells = p.(Presence)
	return can
}

// Kind is the kind of the back end of this name, empty where there is none.
func (b *Backends) Kind(name string) string { return b.kinds[name] }

// Lasts is for how long a join link of this visit opens the door once it was
// handed out, as far as the back end says.
func (b *Backends) Lasts(v Visit) time.Duration {
	if l, ok := b.byName[v.Room.Backend].(Lasting); ok {
		return l.Lasts(b.settle(v))
	}
	return 0
}

// Remove removes from the conference who came in by this visit. Errors wrap
// ErrUnreachable, also where the back end cannot.
func (b *Backends) Remove(ctx context.Context, v Visit) error {
	p, ok := b.byName[v.Room.Backend].(Remover)
	if !ok {
		return unable(v.Room)
	}
	return p.Remove(ctx, b.settle(v))
}

// End ends the room's meeting for everybody. Errors are as for Remove.
func (b *Backends) End(ctx context.Context, r rooms.Room) error {
	p, ok := b.byName[r.Backend].(Ender)
	if !ok {
		return unable(r)
	}
	return p.End(ctx, b.settle(Visit{Room: r}))
}

// Inside tells which admissions are in the room's meeting. Errors are as for Remove.
func (b *Backends) Inside(ctx context.Context, r rooms.Room) ([]rooms.ID, error) {
	p, ok := b.byName[r.Backend].(Presence)
	if !ok {
		return nil, unable(r)
	}
	return p.Inside(ctx, b.settle(Visit{Room: r}))
}

func unable(r rooms.Room) error {
	return fmt.Errorf("%w: back end %q is not asked for that", ErrUnreachable, r.Backend)
}
