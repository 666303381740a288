package rooms

import (
	"context"
	"strings"

	"admitone/rooms/audit"
)

// Change is a wish to change a room; nil members stay as they are.
type Change struct {
	Name               *string
	StartsAt, EndsAt   *int64
	Timezone           *string
	Backend            *string
	ExternalID, Locale *string
	Capacity           *int
	KeepInvitations    bool // do not move unredeemed invitations' windows with the room's
	Silent             bool // do not tell those of another time who were invited by mail
}

// Change stores the changed room. Where its times move, the windows of its
// unredeemed invitations move with them, and those who were invited by mail are
// told, unless c says otherwise.
func (g *Registry) Change(ctx context.Context, by Caller, r Room, c Change) (Room, error) {
	was := r
	c.apply(&r)
	if err := g.check(&r); err != nil {
		return Room{}, err
	}
	if r == was {
		return r, nil
	}
	u := by.update(was, r, c, g.Now().UnixMilli())
	err := g.Store.Update(ctx, u.Room, u.Shift, u.Event)
	if err == nil {
		g.left(was, u.Room)
	}
	return u.Room, err
}

func (c Change) apply(r *Room) {
	set(&r.Name, c.Name)
	set(&r.StartsAt, c.StartsAt)
	set(&r.EndsAt, c.EndsAt)
	set(&r.Timezone, c.Timezone)
	set(&r.Backend, c.Backend)
	set(&r.ExternalID, c.ExternalID)
	set(&r.Locale, c.Locale)
	set(&r.Capacity, c.Capacity)
}

// update is what is stored where was becomes r by that wish.
func (c Caller) update(was, r Room, wish Change, now int64) Update {
	if r.StartsAt != was.StartsAt || r.EndsAt != was.EndsAt {
		r.Sequence++ // as the store does
	}
	u := Update{Room: r, Event: c.event(audit.RoomChanged, now, r.ID, changed(was, r))}
	if !wish.KeepInvitations {
		u.Shift = shiftBetween(was, r)
	}
	if !wish.Silent {
		moved(was, r, &u.Event)
	}
	return u
}

// left tells of a room that went to another back end.
func (g *Registry) left(was, r Room) {
	if r.Backend != was.Backend && g.Closed != nil {
		g.Closed(was)
	}
}

// moved has those told of another time who were invited by mail.
func moved(was, r Room, ev *audit.Event) {
	if r.StartsAt != was.StartsAt || r.EndsAt != was.EndsAt {
		ev.Tell = audit.Tell{Word: audit.Moved, At: ev.At}
	}
}

// shiftBetween is how far invitations' windows move when was becomes r. An
// edge that appears or vanishes moves nothing.
func shiftBetween(was, r Room) (s Shift) {
	if was.StartsAt != 0 && r.StartsAt != 0 {
		s.Start = r.StartsAt - was.StartsAt
	}
	if was.EndsAt != 0 && r.EndsAt != 0 {
		s.End = r.EndsAt - was.EndsAt
	}
	return s
}

// SetClosed closes the room, or opens it again; doing so twice changes nothing.
// Those who were invited by mail are told.
func (g *Registry) SetClosed(ctx context.Context, by Caller, r Room, closed bool) (Room, error) {
	ev := by.closing(closed, g.Now().UnixMilli(), r.ID)
	at := int64(0)
	if closed {
		at = ev.At
	}
	done, err := g.Store.SetClosed(ctx, r.ID, at, ev)
	if err != nil {
		return Room{}, err
	}
	if done {
		r.ClosedAt = at
		r.Sequence++
	}
	if done && closed && g.Closed != nil {
		g.Closed(r)
	}
	return r, nil
}

// HandOver makes the room another host's, for admins only: else ErrNotAdmin.
// to is the username of a host who exists, or empty where there is none of that
// name, which is Invalid. Links already sent stay good.
func (g *Registry) HandOver(ctx context.Context, by Caller, r Room, to string) (Room, error) {
	if !by.Admin {
		return Room{}, ErrNotAdmin
	}
	if to == "" {
		return Room{}, Invalid{"owner", "is no host here"}
	}
	if _, err := g.Store.SetOwner(ctx, r.ID, to, by.event(audit.RoomHandedOver, g.Now().UnixMilli(), r.ID, to)); err != nil {
		return Room{}, err
	}
	r.Owner = to
	return r, nil
}

// closing is the event of a room that is closed, or opened again.
func (c Caller) closing(closed bool, now int64, room ID) audit.Event {
	ev := c.event(audit.RoomReopened, now, room, "")
	ev.Tell = audit.Tell{Word: audit.OnAgain, At: now}
	if closed {
		ev.Kind, ev.Tell = audit.RoomClosed, CallOff(now)
	}
	return ev
}

// changed are the API's names of the members that differ, joined by commas.
func changed(was, r Room) string {
	var what []string
	for _, m := range []struct {
		name string
		diff bool
	}{
		{"name", was.Name != r.Name}, {"starts_at", was.StartsAt != r.StartsAt}, {"ends_at", was.EndsAt != r.EndsAt},
		{"timezone", was.Timezone != r.Timezone}, {"backend", was.Backend != r.Backend},
		{"capacity", was.Capacity != r.Capacity}, {"external_id", was.ExternalID != r.ExternalID}, {"locale", was.Locale != r.Locale},
	} {
		if m.diff {
			what = append(what, m.name)
		}
	}
	return strings.Join(what, ",")
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}
