package tokens

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
)

// ErrNotClaimed is a Store's answer that the row did not allow the claim; why
// is for Invitation.Check to say.
var ErrNotClaimed = errors.New("not claimed")

// Handover leads to the conferences; conference.Backends does.
type Handover interface {
	// JoinLink returns a fresh link, or "" where the room has the built-in lobby.
	JoinLink(ctx context.Context, v conference.Visit) (string, error)
	// Can tells what of the rest the room's back end can do.
	Can(r rooms.Room) conference.Abilities
	// Lasts is for how long a link that was handed out opens the door.
	Lasts(v conference.Visit) time.Duration
	// Remove, End and Inside ask the back end; errors wrap conference.ErrUnreachable.
	Remove(ctx context.Context, v conference.Visit) error
	End(ctx context.Context, r rooms.Room) error
	Inside(ctx context.Context, r rooms.Room) ([]rooms.ID, error)
	// Check asks the back end of this name whether all is well, and changes nothing
	// there; checked is false where that cannot be asked.
	Check(ctx context.Context, name string) (checked bool, err error)
}

// Show returns the invitation that a link names, and changes nothing. room is
// the slug at which it was offered, empty for none in particular. When browser
// (a cookie's value) holds a live admission by it, that comes too. The error is
// a Refusal, or ErrInvalidLink, or the store's.
func (s *Invitations) Show(ctx context.Context, link, room, browser string) (Invitation, *Admission, error) {
	inv, err := s.read(ctx, link, room)
	if err != nil {
		return inv, nil, err
	}
	now := s.Now().UnixMilli()
	if err := inv.Withdrawn(); err != nil {
		return inv, nil, err
	}
	if browser != "" && inv.Uses > 0 {
		a, err := s.earlier(ctx, inv, hashNonce(audit.Actor{}, browser, PageNonce(browser, inv.ID)), now)
		if a != nil {
			err = s.Held(ctx, inv)
		}
		if a != nil || err != nil {
			return inv, a, err
		}
	}
	if inv.Moves > 0 && browser != "" {
		if err := s.left(ctx, inv.Room.ID, inv.ID, browser); err != nil {
			return inv, nil, err
		}
	}
	return inv, nil, s.Admits(ctx, inv)
}

// Look is Show for the room's own people: what a link names, if the caller
// reaches its room; for all others it is ErrInvalidLink.
func (s *Invitations) Look(ctx context.Context, by rooms.Caller, link string) (Invitation, error) {
	inv, err := s.read(ctx, link, "")
	if inv.ID != 0 && !by.Reaches(inv.Room) {
		return Invitation{}, ErrInvalidLink
	}
	return inv, err
}

func (s *Invitations) read(ctx context.Context, link, room string) (Invitation, error) {
	id, slug, wrong := s.Links.Read(ctx, link)
	if wrong != nil && !errors.Is(wrong, ErrWrongRoom) {
		return Invitation{}, wrong
	}
	inv, err := s.Store.ByID(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Invitation{}, ErrInvalidLink
	case err != nil:
		return Invitation{}, err
	case slug != "" && slug != inv.Room.Slug:
		return Invitation{}, ErrInvalidLink
	case wrong != nil, room != "" && room != inv.Room.Slug:
		return inv, Refusal{ErrWrongRoom, inv}
	}
	return inv, nil
}

// Opened notes in the history that the invitation's page was looked at, at most
// once an hour. It fails silently: looking must work when writing does not.
func (s *Invitations) Opened(ctx context.Context, inv Invitation) {
	now := s.Now().UnixMilli()
	since := now - time.Hour.Milliseconds()
	if inv.OpenedAt <= since {
		_ = s.Store.Opened(ctx, inv.ID, since, event(audit.Actor{Kind: audit.Guest}, audit.InvitationOpened, now, inv, ""))
	}
}

// Redemption is the wish of one person to come in.
type Redemption struct {
	Link    string // a JWT, a short code or a whole link
	Room    string // slug at which it is offered, empty for none in particular
	Nonce   string // the same for a retry, another for another person
	Browser string // the browser's cookie, empty for the API
	Name    string // what the person says they are called, empty for the invitation's
	PIN     string // where the invitation has one
	Actor   audit.Actor
	// AtDoor is for a person who stands before the caller: they are in, and get no
	// join link.
	AtDoor bool
	// Noted is set where the person was let in at the door before this was asked.
	Noted bool
	// Reaches, where set, refuses rooms that the caller has no rights in, as if
	// the link were not ours.
	Reaches func(rooms.Room) bool
}

// Admitted is what a redemption gives. JoinLink is fresh at every call, empty
// for a room with the built-in lobby.
type Admitted struct {
	Admission  Admission
	Invitation Invitation
	JoinLink   string
}

// Redeem takes one use of the invitation for this nonce, or finds the use it
// took before. When it returns nil, the admission is on the disk. The error is
// a Refusal, ErrInvalidLink, conference.ErrUnreachable or the store's; then no
// use was taken, except that an answer lost on the way is found by a retry.
func (s *Invitations) Redeem(ctx context.Context, r Redemption) (Admitted, error) {
	out, err := s.claim(ctx, r)
	var refused Refusal
	if errors.As(err, &refused) {
		s.refused(ctx, r, refused)
	}
	return out, err
}

func (s *Invitations) claim(ctx context.Context, r Redemption) (Admitted, error) {
	inv, err := s.reached(ctx, r)
	if err != nil {
		return Admitted{}, err
	}
	name, err := rooms.CleanText("name", r.Name, MaxNameLen)
	if err != nil {
		return Admitted{}, err
	}
	if name == "" {
		name = inv.Name
	}
	// Again, for the case that the row changes between looking and claiming, or
	// the same nonce claims at the same time; who loses thrice may try later.
	for range 3 {
		out, err := s.redeem(ctx, inv, r, name)
		if !errors.Is(err, ErrNotClaimed) {
			return out, err
		}
		if inv, err = s.Store.ByID(ctx, inv.ID); err != nil {
			return Admitted{}, err
		}
	}
	return Admitted{}, rooms.ErrUnavailable
}

// reached is the invitation of the redemption's link, where its caller reaches it.
func (s *Invitations) reached(ctx context.Context, r Redemption) (Invitation, error) {
	inv, err := s.read(ctx, r.Link, r.Room)
	if r.Reaches != nil && inv.ID != 0 && !r.Reaches(inv.Room) {
		return Invitation{}, ErrInvalidLink
	}
	return inv, err
}

func (s *Invitations) redeem(ctx context.Context, inv Invitation, r Redemption, name string) (Admitted, error) {
	now := s.Now().UnixMilli()
	if err := inv.Withdrawn(); err != nil {
		return Admitted{}, err
	}
	nonce := hashNonce(r.Actor, r.Browser, r.Nonce)
	if inv.Uses > 0 {
		a, err := s.earlier(ctx, inv, nonce, now)
		if err != nil {
			return Admitted{}, err
		}
		if a != nil && r.AtDoor {
			return Admitted{Admission: *a, Invitation: inv}, nil
		}
		if a != nil {
			return s.again(ctx, inv, *a, r.Browser, nonce)
		}
	}
	if inv.Moves > 0 && r.Browser != "" {
		if err := s.left(ctx, inv.Room.ID, inv.ID, r.Browser); err != nil {
			return Admitted{}, err
		}
	}
	if err := inv.Check(now); err != nil {
		return Admitted{}, err
	}
	if err := s.PINs.check(ctx, inv, r.PIN); err != nil {
		return Admitted{}, err
	}
	fresh := Admission{ID: s.IDs.Next(now), Invitation: inv.ID, Room: inv.Room.ID, Role: inv.Role, Name: name,
		Browser: BrowserHash(r.Browser), CreatedAt: now}
	out, detail := Admitted{Admission: fresh, Invitation: inv}, audit.AtDoor
	if !r.AtDoor {
		// Nothing that can fail comes after the claim, so the link is built first.
		var err error
		if out, err = s.admit(ctx, inv, fresh); err != nil {
			return Admitted{}, err
		}
		detail = ""
	}
	if r.Browser == "" && out.JoinLink != "" {
		fresh.EnteredAt, fresh.Backend = now, inv.Room.Backend // the answer to a gate has the link
		out.Admission = fresh
	}
	by := r.Actor
	if by.Kind == audit.Guest {
		by.Name = name
	}
	ev := event(by, audit.InvitationRedeemed, now, inv, detail)
	ev.Admission = int64(fresh.ID)
	claimed, err := s.Store.Claim(ctx, Claim{Admission: fresh, Counter: inv.Counter, Nonce: nonce, Moves: inv.Moves, Limited: inv.Room.Capacity > 0 && inv.Role == Guest}, ev)
	if errors.Is(err, rooms.ErrIDTaken) {
		s.IDs.Skip()
		return Admitted{}, ErrNotClaimed // another machine made this id: again, with another
	}
	if errors.Is(err, ErrRoomFull) {
		return Admitted{}, Refusal{ErrRoomFull, inv}
	}
	if err != nil {
		return Admitted{}, err
	}
	if claimed.Returned {
		return Admitted{}, Refusal{ErrRevoked, inv} // at a door, where that was undone
	}
	if claimed.ID != fresh.ID {
		// The same nonce took the use first, at the same time: the next look
		// finds its admission, and the row as that left it.
		return Admitted{}, ErrNotClaimed
	}
	out.Invitation.Uses++
	out.Invitation.RedeemedAt = now
	return out, nil
}

// again is what a redemption gave before. A gate's answer has a fresh link; a
// browser that a sweep forgot is known again, by its nonce.
func (s *Invitations) again(ctx context.Context, inv Invitation, a Admission, browser, nonce string) (Admitted, error) {
	out, err := s.admit(ctx, inv, a)
	switch {
	case err != nil:
	case browser != "" && a.Browser == "":
		out.Admission.Browser = BrowserHash(browser)
		err = s.Store.Recognise(ctx, out.Admission, nonce)
	case a.Browser == "":
		err = s.handOut(ctx, out)
	}
	if errors.Is(err, ErrConflict) {
		err = ErrNotClaimed // it was withdrawn just now
	}
	if err != nil {
		return Admitted{}, err
	}
	return out, nil
}

// admit builds the join link for an admission, once a host is there where
// guests wait for one.
func (s *Invitations) admit(ctx context.Context, inv Invitation, a Admission) (Admitted, error) {
	if err := s.Held(ctx, inv); err != nil {
		return Admitted{}, err
	}
	name, err := s.called(ctx, inv.Room, a)
	if err != nil {
		return Admitted{}, err
	}
	link, err := s.Handover.JoinLink(ctx, conference.Visit{Room: inv.Room, Admission: a.ID, Role: string(a.Role), Name: name, Until: a.Until(inv.Room), Wishes: inv.Wishes})
	return Admitted{a, inv, link}, err
}

// earlier is the live admission that this nonce got before, or nil. One that
// has ended is nil too, unless a use is left, which the same person's second
// coming must not take: then it is ErrExpired.
func (s *Invitations) earlier(ctx context.Context, inv Invitation, nonce string, now int64) (*Admission, error) {
	a, err := s.Store.Admission(ctx, inv.ID, nonce)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil //nolint:nilnil // there is none, which is no error
	case err != nil:
		return nil, err
	case a.EndedAt != 0:
		return nil, Refusal{ErrRevoked, inv} // a host removed this person
	case a.Live(inv.Room, now):
		return &a, nil
	case inv.Uses < inv.MaxUses:
		return nil, Refusal{ErrExpired, inv}
	}
	return nil, nil //nolint:nilnil // it has ended: the invitation's own state answers
}

// Reenter returns the browser's live admission to the room of that slug, with
// its invitation and, if link is true, a fresh join link. The latest counts; a
// host's only where asHost chooses it or there is no guest's. The error is
// ErrNotFound when there is none, a Refusal when it was withdrawn; for one whom
// a host removed that is ErrRevoked.
func (s *Invitations) Reenter(ctx context.Context, slug, browser string, asHost, link bool) (Admitted, error) {
	if !link {
		return s.reenter(ctx, slug, browser, asHost)
	}
	var out Admitted
	err := anew(func() (err error) {
		if out, err = s.reenter(ctx, slug, browser, asHost); err != nil {
			return err
		}
		if out, err = s.admit(ctx, out.Invitation, out.Admission); err != nil {
			return err
		}
		return s.handOut(ctx, out)
	})
	if err != nil {
		return Admitted{}, err
	}
	return out, nil
}

func (s *Invitations) reenter(ctx context.Context, slug, browser string, asHost bool) (Admitted, error) {
	if browser == "" {
		return Admitted{}, ErrNotFound
	}
	room, err := s.Rooms.BySlug(ctx, slug)
	if errors.Is(err, rooms.ErrNotFound) {
		return Admitted{}, ErrNotFound
	} else if err != nil {
		return Admitted{}, err
	}
	now := s.Now().UnixMilli()
	since, role := now-Stay.Milliseconds(), Guest
	if shuts := room.Shuts(); shuts != 0 && now < shuts {
		since = 0
	} else if shuts != 0 {
		since = now // it is over for all
	}
	if asHost {
		role = Host
	}
	a, err := s.Store.Latest(ctx, room.ID, BrowserHash(browser), role, since)
	if errors.Is(err, ErrNotFound) {
		if err := s.left(ctx, room.ID, 0, browser); err != nil {
			return Admitted{}, err
		}
	}
	if err != nil {
		return Admitted{}, err
	}
	inv, err := s.Store.ByID(ctx, a.Invitation)
	switch {
	case err != nil:
		return Admitted{}, err
	case a.EndedAt != 0:
		return Admitted{}, Refusal{ErrRevoked, inv}
	case inv.Withdrawn() != nil:
		return Admitted{}, inv.Withdrawn()
	}
	return Admitted{Admission: a, Invitation: inv}, nil
}
