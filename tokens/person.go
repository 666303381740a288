package tokens

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Person is everything that is kept about whoever has a mail address, as JSON
// that the person can be given.
type Person struct {
	Address     string             `json:"address"`
	At          string             `json:"at"`
	Invitations []PersonInvitation `json:"invitations"`
}

// PersonInvitation is one invitation of a person.
type PersonInvitation struct {
	ID         string          `json:"id"`
	Room       string          `json:"room"`
	RoomName   string          `json:"room_name"`
	Role       Role            `json:"role"`
	Name       string          `json:"name"`
	Email      string          `json:"email"`
	ExternalID string          `json:"external_id,omitempty"`
	Locale     string          `json:"locale,omitempty"`
	State      State           `json:"state"`
	Live       bool            `json:"live"` // it still admits, new or back
	Invited    string          `json:"invited_at"`
	Expires    string          `json:"expires_at"`
	Opened     string          `json:"opened_at,omitempty"`
	Visits     []PersonVisit   `json:"visits"`
	Asked      []PersonRequest `json:"asked_for_a_new_link"`
	History    []PersonEvent   `json:"history"`
}

// PersonVisit is one who was admitted by the invitation.
type PersonVisit struct {
	Name    string `json:"name"`
	Came    string `json:"came_at"`
	Back    int    `json:"came_back"`
	BackAt  string `json:"last_back_at,omitempty"`
	Removed string `json:"removed_at,omitempty"`
}

// PersonRequest is a wish for a new link.
type PersonRequest struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	At     string `json:"at"`
}

// PersonEvent is one line of the invitation's history. By is a guest's name.
type PersonEvent struct {
	At     string `json:"at"`
	Kind   string `json:"kind"`
	By     string `json:"by,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// The most that is told of one invitation, which nobody has who comes as often as
// people do.
const (
	mostRequests = 1000
	mostHistory  = 10_000
)

// ParseAddress reads a person's mail address: in lower case, or rooms.Invalid.
func ParseAddress(text string) (string, error) {
	text, err := rooms.CleanText("address", text, MaxEmailLen)
	if err != nil {
		return "", err
	}
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return "", rooms.Invalid{Field: "address", Detail: "is not a mail address"}
	}
	return strings.ToLower(text), nil
}

// Lives tells whether the invitation still admits somebody, new or back.
func (inv Invitation) Lives(now int64) bool {
	shuts := inv.Room.Shuts()
	switch {
	case inv.Withdrawn() != nil, shuts != 0 && shuts <= now:
		return false
	case inv.ExpiresAt > now:
		return true
	}
	return inv.Uses > 0 && (shuts != 0 || inv.RedeemedAt+Stay.Milliseconds() > now)
}

// OfPerson passes on the person's invitations in rooms that the caller reaches,
// some at a time.
func (s *Invitations) OfPerson(ctx context.Context, by rooms.Caller, address string, do func([]Invitation) error) error {
	ids, err := s.Store.OfPerson(ctx, by, address)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, removedAtOnce) {
		all, err := s.Store.Some(ctx, some)
		if err != nil {
			return err
		}
		// Until then it may have got another address, or its room another host.
		all = slices.DeleteFunc(all, func(inv Invitation) bool { return strings.ToLower(inv.Email) != address || !by.Reaches(inv.Room) })
		if len(all) == 0 {
			continue
		}
		if err := do(all); err != nil {
			return err
		}
	}
	return nil
}

// Person is what is kept about whoever has that address, in rooms that the caller
// reaches.
func (s *Invitations) Person(ctx context.Context, by rooms.Caller, address string) (Person, error) {
	now := s.Now().UnixMilli()
	out := Person{Address: address, At: stamp(now), Invitations: []PersonInvitation{}}
	return out, s.OfPerson(ctx, by, address, func(all []Invitation) error {
		ids := make([]rooms.ID, len(all))
		for i, inv := range all {
			ids[i] = inv.ID
		}
		visits, err := s.Store.Visits(ctx, ids)
		if err != nil {
			return err
		}
		for _, inv := range all {
			one, err := s.personal(ctx, inv, visits[inv.ID], now)
			if err != nil {
				return err
			}
			out.Invitations = append(out.Invitations, one)
		}
		return nil
	})
}

func (s *Invitations) personal(ctx context.Context, inv Invitation, visits []Visit, now int64) (PersonInvitation, error) {
	one := PersonInvitation{ID: inv.ID.Show(rooms.InvitationPrefix), Room: inv.Room.Slug, RoomName: inv.Room.Name, Role: inv.Role, Name: inv.Name, Email: inv.Email,
		ExternalID: inv.ExternalID, Locale: inv.Locale, State: inv.State(now), Live: inv.Lives(now), Invited: stamp(inv.CreatedAt), Expires: stamp(inv.ExpiresAt), Opened: stamp(inv.OpenedAt),
		Visits: []PersonVisit{}, Asked: []PersonRequest{}, History: []PersonEvent{}}
	for _, v := range visits {
		one.Visits = append(one.Visits, PersonVisit{Name: v.Name, Came: stamp(v.CameAt), Back: v.Back, BackAt: stamp(v.BackAt), Removed: stamp(v.RemovedAt)})
	}
	asked, err := s.Store.Requests(ctx, inv.ID, mostRequests)
	if err != nil {
		return one, err
	}
	for _, r := range asked {
		one.Asked = append(one.Asked, PersonRequest{Name: r.Name, Reason: r.Reason, At: stamp(r.CreatedAt)})
	}
	history, err := s.Store.Events(ctx, inv.ID, 0, mostHistory)
	for _, ev := range history {
		e := PersonEvent{At: stamp(ev.At), Kind: string(ev.Kind), Detail: ev.Detail}
		if ev.Actor.Kind == audit.Guest {
			e.By = ev.Actor.Name
		}
		one.History = append(one.History, e)
	}
	return one, err
}

// stamp is an instant in UTC, empty for none.
func stamp(millis int64) string {
	if millis == 0 {
		return ""
	}
	return time.UnixMilli(millis).UTC().Format(time.RFC3339)
}

// RemovePerson removes what tells of whoever has that address from all that it
// stands on in rooms that the caller reaches, and revokes what still admits that
// one. It tells on how many invitations the address stood, and how many of them
// were revoked. Nothing brings it back.
func (s *Invitations) RemovePerson(ctx context.Context, by rooms.Caller, address string) (removed, revoked int, err error) {
	at := s.Now().UnixMilli()
	err = s.OfPerson(ctx, by, address, func(all []Invitation) error {
		ids, live, of := map[rooms.ID][]rooms.ID{}, map[rooms.ID][]rooms.ID{}, map[rooms.ID]rooms.Room{}
		for _, inv := range all {
			room := inv.Room.ID
			of[room] = inv.Room
			ids[room] = append(ids[room], inv.ID)
			if inv.Lives(at) {
				live[room] = append(live[room], inv.ID)
			}
		}
		for id, room := range of {
			n, off, err := s.Store.RemovePerson(ctx, address, ids[id], live[id], namesRemoved(by.Actor, id, at), eachEvent(by, audit.InvitationRevoked, at, room))
			if err != nil {
				return err
			}
			if len(off) > 0 {
				s.Removals.withdrawn(room, off...)
			}
			removed, revoked = removed+n, revoked+len(off)
		}
		return nil
	})
	return removed, revoked, err
}
