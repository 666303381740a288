package views

import (
	"cmp"
	"context"
	"time"
)

// Room is one room with its invitations.
type Room struct {
	Page Page
	Head RoomHead
	Mint Mint
	List Invitations
	// Requests is who asks for a new link.
	Requests Requests
	// People are those in the room now.
	People *People
}

// RoomHead is what stands over a room's page.
type RoomHead struct {
	Name, Slug string
	// State is one of the Room… constants.
	State            string
	StartsAt, EndsAt time.Time
	// Backend is the conference back end's name; empty is the built-in lobby.
	Backend string
	// Gone says that no back end of that name is there any more.
	Gone bool
	// MayEnter offers the host the way in.
	MayEnter bool
	// Owner is set where the room is somebody else's.
	Owner string
	// Guests hold places now, of Capacity that there are; a Capacity of 0 is any number, and nothing is said of it.
	Guests, Capacity int
	// MayChange shows the menu: edit, close, reopen.
	MayChange bool
	// Tells says that people were invited by mail, who are told when it closes.
	Tells bool
	// Series is its place in one.
	Series Series
}

// Mint is the panel that makes invitations: the form and, after a success, the new link above it.
type Mint struct {
	// Slug of the room.
	Slug string
	// Role is RoleGuest or RoleHost; empty is RoleGuest.
	Role string
	Name string
	// Expires is a preset: "1h", "4h", "1d", "7d", "room" (the room's end) or "custom" (ExpiresAt). Empty is "room"
	// where the room ends, else "1h".
	Expires string
	// ExpiresAt is as typed, in Timezone.
	ExpiresAt string
	// Timezone is an IANA name; empty lets the browser fill in its own.
	Timezone string
	// MaxUses is as typed; empty is "1".
	MaxUses string
	// PIN is as typed; it is kept only as long as the form is refused.
	PIN string
	// Locale is the guest's language (BCP 47); empty is the room's.
	Locale string
	// CanHost says that this host may mint the role host here.
	CanHost bool
	// RoomEnds says that the room has an end to expire with.
	RoomEnds bool
	// Closed says that nothing can be minted, because the room is closed or over.
	Closed bool
	Errors Errors
	// Done is the invitation just made.
	Done *Minted
}

// Minted is a new invitation, ready to be handed on.
type Minted struct {
	ID, Name, Role string
	RoomName       string
	Link           Link
	Send           Send
	ExpiresAt      time.Time
	MaxUses        int
	Mail           MailForm
	// Now, for the time left.
	Now time.Time
}

// Link is what admits: the short form and the JWT form of one invitation. Both are empty for who may not see them.
type Link struct {
	Short, Full string
}

// Invitations is the list on a room's page.
type Invitations struct {
	Slug  string
	Items []Invitation
	// State, Query and Mail, the state of a mail, are the filters in force; empty is none.
	State, Query, Mail string
	// Sort is one of the Sort… constants; empty is the first.
	Sort string
	// Next is the cursor of the next page; empty on the last one.
	Next string
	// Closed says that there is no form to lead to.
	Closed bool
	Mails  Mails
}

// Invitation is one row of the list.
type Invitation struct {
	ID, Name, Role string
	// Guest is what the last one who came in with it said they are called; it stands in for an empty Name.
	Guest string
	// NameRemoved says that the name was removed, after the time that names are kept.
	NameRemoved bool
	// Email is the mail address, or empty.
	Email string
	// State is one of Pending, Redeemed, Expired, Revoked, Superseded.
	State         string
	Uses, MaxUses int
	ExpiresAt     time.Time
	CreatedAt     time.Time
	RedeemedAt    time.Time
	// ShortURL is what "Copy link" copies; empty for who may not see it.
	ShortURL string
	// MayRevoke shows the button while the state allows it.
	MayRevoke bool
	// UndoUntil is until when a revocation can be taken back; zero or past Now: no longer.
	UndoUntil time.Time
	Now       time.Time
	// Mail is how its latest mail stands.
	Mail Mail
	// Focus puts the keyboard on the row's button: set it where the row answers a press on it.
	Focus bool
}

// MintResult is what htmx gets for a minted invitation: the panel with the link, and the new row for the list.
type MintResult struct {
	Panel Mint
	Row   Invitation
}

func (m Mint) role() string {
	if m.Role == RoleHost && m.CanHost {
		return RoleHost
	}
	return RoleGuest
}

type preset struct{ Value, Label string }

// lifetimes are the presets of how long a link is good.
func lifetimes(ctx context.Context, roomEnds bool) (p []preset) {
	if roomEnds {
		p = append(p, preset{"room", t(ctx, "mint.expires-room")})
	}
	return append(p, preset{"1h", t(ctx, "mint.expires-hours", "n", 1)}, preset{"4h", t(ctx, "mint.expires-hours", "n", 4)},
		preset{"1d", t(ctx, "mint.expires-days", "n", 1)}, preset{"7d", t(ctx, "mint.expires-days", "n", 7)})
}

func (m Mint) presets(ctx context.Context) []preset {
	return append(lifetimes(ctx, m.RoomEnds), preset{"custom", t(ctx, "mint.expires-custom")})
}

func (m Mint) expires() string {
	switch {
	case m.Expires != "":
		return m.Expires
	case m.RoomEnds:
		return "room"
	}
	return "1h"
}

func (m Mint) maxUses() string {
	if m.MaxUses == "" {
		return "1"
	}
	return m.MaxUses
}

func (m Mint) focus() string {
	return first(m.Errors, "name", "expires", "expires_at", "timezone", "max_uses")
}

// called is the name on the row; it may be empty.
func (i Invitation) called() string { return cmp.Or(i.Name, i.Guest) }

// shown is the name on the row, or what stands for none.
func (i Invitation) shown(ctx context.Context) string {
	return keptName(ctx, i.called(), i.NameRemoved)
}

func (i Invitation) undoable() bool { return i.State == Revoked && i.UndoUntil.After(i.Now) }

func (i Invitation) over() bool { return i.State != Pending && i.State != Redeemed }

// sorts are the orders of the list; the first is the usual one, which the address need not tell.
var sorts = []string{SortNewest, SortOldest, SortName}

// states are what the list can be narrowed to; the empty one is all of them.
var states = []string{"", Pending, Redeemed, Expired, Revoked, Superseded}
