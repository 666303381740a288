package tokens

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// ErrAskedEnough is a Store's answer that an invitation has as many open requests as it takes.
var ErrAskedEnough = errors.New("the host has been asked often enough")

// Request is somebody's wish for a new link in the place of one that was
// refused. Whoever asks need not be the invitee, and is never shown the new link.
type Request struct {
	ID         rooms.ID
	Invitation rooms.ID
	Room       rooms.ID
	Browser    string // hash of the browser's cookie
	Name       string // what the person says they are called, may be empty
	For        string // the invitation's name
	Ends       int64  // when the invitation ends
	Reason     string // code of the refusal that was met
	CreatedAt  int64
	ClosedAt   int64    // when the host answered, 0 while the request is open
	Answer     rooms.ID // the invitation made for it, 0 for none
}

// The bounds of asking.
const (
	MaxRequests = 5              // open at once for one invitation
	AskAgain    = 24 * time.Hour // after which somebody may ask again who was dismissed
)

// RequestStore keeps requests for new links, under the terms of Store.
type RequestStore interface {
	// Ask keeps the request, unless this browser has an open one for this
	// invitation: then nothing changes, and no event is stored. It is
	// ErrAskedEnough, exactly, also among requests at once, when the invitation
	// has most open ones, and rooms.ErrIDTaken when the id was used.
	Ask(ctx context.Context, r Request, most int, ev audit.Event) error
	// Asked returns the latest request of that browser for the invitation, or ErrNotFound.
	Asked(ctx context.Context, invitation rooms.ID, browser string) (Request, error)
	// CountRequests counts an invitation's open requests.
	CountRequests(ctx context.Context, invitation rooms.ID) (int, error)
	// OpenRequests returns a room's open requests, newest first.
	OpenRequests(ctx context.Context, room rooms.ID, limit int) ([]Request, error)
	// Request returns one request, or ErrNotFound.
	Request(ctx context.Context, id rooms.ID) (Request, error)
	// Answer is Reissue of old, which also closes every open request for it and
	// for the invitation that r is about, as answered by next: ErrConflict when
	// r is no longer open.
	Answer(ctx context.Context, r Request, old rooms.ID, next Invitation, ev audit.Event) error
	// AnswerBeside adds next and closes r, and no other request, as answered by it,
	// with all these events: ErrConflict when r is no longer open, rooms.ErrIDTaken
	// when the id was used.
	AnswerBeside(ctx context.Context, r Request, next Invitation, evs ...audit.Event) error
	// Dismiss closes an open request without an answer. It reports false, and
	// stores no event, when it was closed already.
	Dismiss(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (bool, error)
	// Recall opens a request again that was dismissed after since. It reports
	// false, and stores no event, when nothing was there to take back, or the
	// browser has asked anew by now.
	Recall(ctx context.Context, id rooms.ID, since int64, ev audit.Event) (bool, error)
}

// Standing is how somebody's wish for a new link stands.
type Standing string

// The standings of a wish.
const (
	MayAsk   Standing = "may_ask"
	HasAsked Standing = "asked"
	Answered Standing = "answered"
)

// MayRequest tells whether a refusal for this reason offers to ask for a new
// link: where waiting does not help, and the link was one of ours.
func MayRequest(reason error) bool {
	for _, r := range []error{ErrUsed, ErrExpired, ErrRevoked, ErrSuperseded, ErrWrongRoom, ErrRoomClosed} {
		if errors.Is(reason, r) {
			return true
		}
	}
	return false
}

// Standing is how the wish of that browser for a new link stands. Where others
// have asked often enough, so it has.
func (s *Invitations) Standing(ctx context.Context, inv Invitation, browser string) (Standing, error) {
	if browser != "" {
		r, err := s.Store.Asked(ctx, inv.ID, BrowserHash(browser))
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return "", err
		case r.Answer != 0:
			return Answered, nil
		case r.ClosedAt == 0, s.Now().UnixMilli() < r.ClosedAt+AskAgain.Milliseconds():
			return HasAsked, nil
		}
	}
	n, err := s.Store.CountRequests(ctx, inv.ID)
	if err == nil && n >= MaxRequests {
		return HasAsked, nil
	}
	return MayAsk, err
}

// Ask asks the host for a new link in the place of the one that was refused.
// Again, and where others have asked often enough, it changes nothing.
func (s *Invitations) Ask(ctx context.Context, refused Refusal, browser, name string) error {
	name, err := rooms.CleanText("name", name, MaxNameLen)
	if err != nil {
		return err
	}
	var reason Reason
	if !errors.As(refused.Reason, &reason) || !MayRequest(reason) || browser == "" {
		return ErrConflict
	}
	inv := refused.Invitation
	if is, err := s.Standing(ctx, inv, browser); err != nil || is != MayAsk {
		return err
	}
	now := s.Now().UnixMilli()
	ev := event(audit.Actor{Kind: audit.Guest, Name: name}, audit.InvitationRequested, now, inv, reason.Code)
	for range 4 {
		r := Request{ID: s.IDs.Next(now), Invitation: inv.ID, Room: inv.Room.ID, Browser: BrowserHash(browser), Name: name, Reason: reason.Code, CreatedAt: now}
		if err = s.Store.Ask(ctx, r, MaxRequests, ev); !errors.Is(err, rooms.ErrIDTaken) {
			break
		}
		s.IDs.Skip()
	}
	if errors.Is(err, ErrAskedEnough) {
		return nil
	}
	return err
}

// FindRequest returns the request of that id with its invitation, if the
// caller reaches its room, else ErrNotFound.
func (s *Invitations) FindRequest(ctx context.Context, by rooms.Caller, id string) (Request, Invitation, error) {
	key, err := rooms.ParseID(rooms.RequestPrefix, id)
	if err != nil {
		return Request{}, Invitation{}, ErrNotFound
	}
	r, err := s.Store.Request(ctx, key)
	if err != nil {
		return Request{}, Invitation{}, err
	}
	inv, err := s.Store.ByID(ctx, r.Invitation)
	if err == nil && !by.Reaches(inv.Room) {
		return Request{}, Invitation{}, ErrNotFound
	}
	return r, inv, err
}

// Newest is the invitation that took the place of inv, and of that one, and so on;
// inv itself where none did.
func (s *Invitations) Newest(ctx context.Context, inv Invitation) (_ Invitation, err error) {
	// A chain is followed for at most MaxUses links; nobody reissues more often.
	for n := 0; n < MaxUses && err == nil && inv.SupersededBy != 0; n++ {
		inv, err = s.Store.ByID(ctx, inv.SupersededBy)
	}
	return inv, err
}

// Answer makes a new link for a request: in the place of inv, or of the newest
// that took its place, and for the one who asked where the invitation names
// nobody. An old link that was revoked is not kept. Again, it is the link that
// was made the first time; for a request that was dismissed it is ErrConflict.
func (s *Invitations) Answer(ctx context.Context, by rooms.Caller, r Request, inv Invitation, w Renewal, mayHost bool) (Invitation, error) {
	if r.ClosedAt != 0 {
		return s.answered(ctx, r)
	}
	inv, err := s.Newest(ctx, inv)
	if err != nil {
		return Invitation{}, err
	}
	if inv.Name == "" {
		inv.Name = r.Name
	}
	w.KeepOld = w.KeepOld && inv.RevokedAt == 0
	next, err := s.replace(ctx, by, inv, w, mayHost, func(next Invitation, ev audit.Event) error {
		return s.Store.Answer(ctx, r, inv.ID, next, ev)
	})
	if errors.Is(err, ErrConflict) {
		return s.answered(ctx, r)
	}
	return next, err
}

// AnswerBeside answers a request by an invitation of its own: of one guest, called
// as who asks says, and good as long as an Answer would be, which w may end anew.
// Links that there are, and who is in by them, stay. Again, it is as Answer.
func (s *Invitations) AnswerBeside(ctx context.Context, by rooms.Caller, r Request, inv Invitation, w Renewal) (Invitation, error) {
	if r.ClosedAt != 0 {
		return s.answered(ctx, r)
	}
	inv, err := s.Newest(ctx, inv)
	if err != nil {
		return Invitation{}, err
	}
	if inv.Room.ClosedAt != 0 {
		return Invitation{}, Refusal{ErrRoomClosed, inv}
	}
	now := s.Now().UnixMilli()
	next := Invitation{Room: inv.Room, Role: Guest, Name: r.Name, MaxUses: 1, NotBefore: inv.NotBefore, CreatedAt: now, CreatedBy: by.Actor, Wishes: inv.Wishes}
	if next.ExpiresAt, err = s.renewed(inv, w, now); err != nil {
		return Invitation{}, err
	}
	inv.ID = r.Invitation
	next, err = s.insert(now, next, func(next Invitation) error {
		return s.Store.AnswerBeside(ctx, r, next, event(by.Actor, audit.InvitationMinted, now, next, ""), event(by.Actor, audit.InvitationReissued, now, inv, audit.OldApart))
	})
	if errors.Is(err, ErrConflict) {
		return s.answered(ctx, r)
	}
	return next, err
}

// answered is the invitation by which the request was answered, ErrConflict where
// it was closed without one.
func (s *Invitations) answered(ctx context.Context, r Request) (Invitation, error) {
	r, err := s.Store.Request(ctx, r.ID)
	if err != nil {
		return Invitation{}, err
	}
	if r.Answer == 0 {
		return Invitation{}, ErrConflict
	}
	return s.Store.ByID(ctx, r.Answer)
}

// Dismiss closes a request without a new link. Again, it changes nothing.
func (s *Invitations) Dismiss(ctx context.Context, by rooms.Caller, r Request, inv Invitation) error {
	now := s.Now().UnixMilli()
	_, err := s.Store.Dismiss(ctx, r.ID, now, event(by.Actor, audit.RequestDismissed, now, inv, ""))
	return err
}

// Recall undoes a dismissal within UndoWindow; later it is ErrConflict.
func (s *Invitations) Recall(ctx context.Context, by rooms.Caller, r Request, inv Invitation) error {
	now := s.Now().UnixMilli()
	done, err := s.Store.Recall(ctx, r.ID, now-UndoWindow.Milliseconds(), event(by.Actor, audit.RequestRecalled, now, inv, ""))
	if err == nil && !done && r.ClosedAt != 0 {
		return ErrConflict
	}
	return err
}
