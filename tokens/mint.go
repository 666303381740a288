package tokens

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// Invitations mints, shows, redeems and withdraws invitations. It is safe for
// concurrent use.
type Invitations struct {
	Store    Store
	Rooms    rooms.Store
	IDs      *rooms.IDs
	Links    *Links
	Handover Handover
	Now      func() time.Time
	Lifetime time.Duration // default, for rooms without an end
	PINs     *PINs
	Removals *Removals
}

// Draft is what a caller asks a new invitation to be. Zero members mean the
// default; at most one of ExpiresIn and ExpiresAt is given.
type Draft struct {
	Role       Role
	Name       string
	Email      string
	ExpiresIn  time.Duration
	ExpiresAt  int64
	NotBefore  int64
	MaxUses    int
	PIN        string
	ExternalID string
	Locale     string
	Wishes     string // a query such as "audio=false"
}

// Mint makes an invitation to the room. mayHost says whether the caller may
// mint the role host: ErrRoleBarred otherwise. Refused input is rooms.Invalid.
func (s *Invitations) Mint(ctx context.Context, by rooms.Caller, room rooms.Room, d Draft, mayHost bool) (Invitation, error) {
	if d.Role == Host && !mayHost {
		return Invitation{}, ErrRoleBarred
	}
	now := s.Now().UnixMilli()
	inv, pin, err := s.draft(by, room, d, now)
	if err != nil {
		return Invitation{}, err
	}
	if pin != "" {
		if inv.PIN, err = hosts.Hash(pin); err != nil {
			return Invitation{}, err
		}
	}
	return s.insert(now, inv, func(inv Invitation) error {
		return s.Store.Insert(ctx, []Invitation{inv}, []audit.Event{event(by.Actor, audit.InvitationMinted, now, inv, "")})
	})
}

// insert gives the invitation an id and stores it, again with another id in
// the rare case that two machines made one id in the same millisecond.
func (s *Invitations) insert(now int64, inv Invitation, store func(Invitation) error) (Invitation, error) {
	err := rooms.ErrIDTaken
	for range 4 {
		own := inv.Counter == 0
		inv.ID = s.IDs.Next(now)
		if own {
			inv.Counter = inv.ID
		}
		if err = store(inv); !errors.Is(err, rooms.ErrIDTaken) {
			break
		}
		s.IDs.Skip()
		if own {
			inv.Counter = 0
		}
	}
	return inv, err
}

// Check refuses all that Mint would of the draft's members at once, and makes
// nothing: nil, or an error of which rooms.Wrong tells each.
func (s *Invitations) Check(room rooms.Room, d Draft) error {
	_, _, err := s.draft(rooms.Caller{}, room, d, s.Now().UnixMilli())
	return err
}

// draft is the invitation that d asks for, and its PIN.
func (s *Invitations) draft(by rooms.Caller, room rooms.Room, d Draft, now int64) (inv Invitation, pin string, err error) {
	if room.ClosedAt != 0 {
		return inv, "", ErrRoomClosed
	}
	_, badRole := ParseRole(string(d.Role))
	if d.MaxUses == 0 {
		d.MaxUses = 1
	}
	inv = Invitation{Room: room, Role: d.Role, Name: d.Name, Email: d.Email, MaxUses: d.MaxUses, NotBefore: d.NotBefore,
		CreatedAt: now, CreatedBy: by.Actor, ExternalID: d.ExternalID, Locale: d.Locale}
	var badWishes, badEnd, badPIN error
	inv.Wishes, badWishes = cleanWishes(d.Wishes)
	if inv.ExpiresAt, badEnd = s.expiry(room, d, now); badEnd != nil {
		inv.ExpiresAt = max(now, d.NotBefore) + MinLifetime.Milliseconds() // no second refusal of the end
	}
	pin, badPIN = cleanPIN(d.PIN)
	return inv, pin, errors.Join(badRole, badEnd, inv.check(now), badWishes, badPIN)
}

// expiry is when the drafted invitation ends. What is said in relative terms
// must not end before the room opens; an instant said outright may.
func (s *Invitations) expiry(room rooms.Room, d Draft, now int64) (int64, error) {
	switch {
	case d.ExpiresIn != 0 && d.ExpiresAt != 0:
		return 0, rooms.Invalid{Field: "expires_at", Detail: "give expires_in or expires_at, not both"}
	case d.ExpiresAt != 0:
		return d.ExpiresAt, nil
	case d.ExpiresIn != 0:
		at := wholeSecond(now + d.ExpiresIn.Milliseconds())
		if room.StartsAt != 0 && at <= room.StartsAt {
			return 0, rooms.Invalid{Field: "expires_in", Detail: "ends before the room opens; say expires_at if you mean it"}
		}
		return at, nil
	case room.EndsAt != 0 && room.EndsAt <= now:
		return 0, rooms.Invalid{Field: "expires_in", Detail: "the room has ended; move it, or say until when the link is good"}
	case room.EndsAt != 0:
		return room.EndsAt, nil
	}
	return wholeSecond(max(now, room.StartsAt, d.NotBefore) + s.Lifetime.Milliseconds()), nil
}

// wholeSecond rounds up, so that the token's exp, in seconds, is the row's.
func wholeSecond(millis int64) int64 { return (millis + 999) / 1000 * 1000 }

// check cleans the invitation's texts, and refuses all at once what it must not be.
func (inv *Invitation) check(now int64) error {
	name, badName := rooms.CleanText("name", inv.Name, MaxNameLen)
	email, badEmail := rooms.CleanText("email", inv.Email, MaxEmailLen)
	external, badExternal := rooms.CleanText("external_id", inv.ExternalID, rooms.MaxExternalID)
	inv.Name, inv.Email, inv.ExternalID = name, email, external
	if email != "" {
		if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
			badEmail = rooms.Invalid{Field: "email", Detail: "is not a mail address"}
		}
	}
	return errors.Join(badName, badEmail, badExternal, rooms.CheckLocale(inv.Locale), CheckUses(inv.MaxUses), inv.checkEnd(now))
}

func (inv *Invitation) checkEnd(now int64) error {
	switch life := inv.ExpiresAt - max(now, inv.NotBefore); {
	case inv.ExpiresAt <= now:
		return rooms.Invalid{Field: "expires_at", Detail: "is in the past"}
	case life < MinLifetime.Milliseconds():
		return rooms.Invalid{Field: "expires_at", Detail: "must be at least a second after the link becomes valid"}
	case inv.ExpiresAt-now > MaxLifetime.Milliseconds():
		return rooms.Invalid{Field: "expires_at", Detail: "is more than 366 days away"}
	}
	return nil
}

// Find returns the invitation if the caller reaches its room, else ErrNotFound.
func (s *Invitations) Find(ctx context.Context, by rooms.Caller, id string) (Invitation, error) {
	key, err := rooms.ParseID(rooms.InvitationPrefix, id)
	if err != nil {
		return Invitation{}, ErrNotFound
	}
	inv, err := s.Store.ByID(ctx, key)
	if err == nil && !by.Reaches(inv.Room) {
		return Invitation{}, ErrNotFound
	}
	return inv, err
}

// Change is a wish to change an invitation; nil members stay as they are.
type Change struct {
	Name, Email          *string
	ExpiresAt, NotBefore *int64
	MaxUses              *int
}

// Change stores the changed invitation; links already sent follow it.
func (s *Invitations) Change(ctx context.Context, by rooms.Caller, inv Invitation, c Change) (Invitation, error) {
	if inv.SupersededBy != 0 {
		return Invitation{}, Refusal{ErrSuperseded, inv}
	}
	var what []string
	note := func(name string, touched bool) {
		if touched {
			what = append(what, name)
		}
	}
	note("name", set(&inv.Name, c.Name))
	note("email", set(&inv.Email, c.Email))
	note("expires_at", set(&inv.ExpiresAt, c.ExpiresAt))
	note("not_before", set(&inv.NotBefore, c.NotBefore))
	note("max_uses", set(&inv.MaxUses, c.MaxUses))
	if len(what) == 0 {
		return inv, nil
	}
	now := s.Now().UnixMilli()
	at := now
	if c.ExpiresAt == nil && c.NotBefore == nil {
		at = min(now, inv.ExpiresAt-MinLifetime.Milliseconds()) // renaming an ended invitation is no offence
	}
	if err := inv.check(at); err != nil {
		return Invitation{}, err
	}
	if err := s.Store.Update(ctx, inv, event(by.Actor, audit.InvitationChanged, now, inv, strings.Join(what, ","))); err != nil {
		return Invitation{}, err
	}
	return s.Store.ByID(ctx, inv.ID)
}

func set[T comparable](dst, src *T) bool {
	if src == nil || *dst == *src {
		return false
	}
	*dst = *src
	return true
}

func event(by audit.Actor, kind audit.Kind, at int64, inv Invitation, detail string) audit.Event {
	return audit.Event{At: at, Actor: by, Kind: kind, Room: int64(inv.Room.ID), Invitation: int64(inv.ID), Detail: detail}
}
