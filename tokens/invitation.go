// Package tokens mints invitations, shows them, redeems each use of them once,
// and takes them back.
//
// It never speaks HTTP or SQL. Whether an invitation admits somebody is decided
// in one place, Invitation.Check, and by the claim that repeats it as one
// statement in the database.
package tokens

import (
	"errors"
	"fmt"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Role is what the admitted person is in the room.
type Role string

// The two roles.
const (
	Host  Role = "host"
	Guest Role = "guest"
)

// Reason is why an invitation is refused. Code is its name to others.
type Reason struct{ Code, Text string }

func (r Reason) Error() string { return r.Text }

// The reasons for which an invitation is refused, in the order they are looked at.
var (
	ErrInvalidLink = Reason{"invalid_link", "this is no link of ours"}
	ErrWrongRoom   = Reason{"wrong_room", "this link is for another room"}
	ErrSuperseded  = Reason{"superseded", "this link was replaced by a newer one"}
	ErrRevoked     = Reason{"revoked", "this link was revoked"}
	ErrRoomClosed  = Reason{"room_closed", "the room is closed"}
	ErrUsed        = Reason{"used", "this link has been used"}
	ErrExpired     = Reason{"expired", "this link has expired"}
	ErrNotYet      = Reason{"not_yet", "this link is not valid yet"}
	ErrPINRequired = Reason{"pin_required", "this link asks for a PIN"}
	ErrPINWrong    = Reason{"pin_wrong", "this is not the link's PIN"}
	ErrWaiting     = Reason{"waiting_for_host", "guests wait until a host is there"}
	ErrRoomFull    = Reason{"room_full", "the room is full"}
)

// Other refusals.
var (
	ErrNotFound   = errors.New("no such invitation, or not yours")
	ErrRoleBarred = errors.New("you may not mint this role")
	ErrConflict   = errors.New("the invitation is in another state by now")
)

// Refusal is why an invitation does not admit, with the invitation as it was
// then, so that a page can say when it was used or when it opens.
type Refusal struct {
	Reason     error // one of the reasons above
	Invitation Invitation
}

func (r Refusal) Error() string { return r.Reason.Error() }

// Unwrap lets errors.Is find the reason.
func (r Refusal) Unwrap() error { return r.Reason }

// OpensAt is when a refusal for ErrNotYet ends, in Unix milliseconds.
func (r Refusal) OpensAt() int64 {
	return max(r.Invitation.NotBefore, r.Invitation.Room.StartsAt)
}

// Invitation is one invitation to one room. Instants are Unix milliseconds in
// UTC, 0 for none. Uses, MaxUses and RedeemedAt are those of its counter, which
// it shares with the invitation it was reissued from where that was kept.
type Invitation struct {
	ID           rooms.ID
	Room         rooms.Room
	Role         Role
	Name         string
	Email        string
	PIN          string // hash of it, empty for none
	MaxUses      int
	Uses         int
	NotBefore    int64
	ExpiresAt    int64
	CreatedAt    int64
	CreatedBy    audit.Actor
	RedeemedAt   int64 // the latest use
	RevokedAt    int64
	OpenedAt     int64
	SupersededBy rooms.ID
	Counter      rooms.ID // the invitation whose row counts the uses, mostly its own
	ExternalID   string
	Locale       string
	Wishes       string // how the guest comes in, a query for the back end, or empty
	Moves        int    // how often its people went on, on another device
	MoreMoves    int    // how often beyond the first time they may
	// Appointment is the invitation whose place in calendars this one took over, 0
	// for its own. Sequence is how often it was withdrawn, restored or replaced.
	Appointment rooms.ID
	Sequence    int
	CameBefore  int64 // when somebody came by a link that this one replaced
	// NamelessAt is when all was removed from it that tells who was invited.
	NamelessAt int64
}

// State is where in its life an invitation is.
type State string

// The states of an invitation.
const (
	Pending    State = "pending"
	Redeemed   State = "redeemed"
	Expired    State = "expired"
	Revoked    State = "revoked"
	Superseded State = "superseded"
)

// States are all states, in the order in which lists offer them.
func States() []State { return []State{Pending, Redeemed, Expired, Revoked, Superseded} }

// State is the invitation's state now, in Unix milliseconds. Stores filter by
// the same rule.
func (inv Invitation) State(now int64) State {
	switch {
	case inv.SupersededBy != 0:
		return Superseded
	case inv.RevokedAt != 0:
		return Revoked
	case inv.Uses >= inv.MaxUses:
		return Redeemed
	case inv.ExpiresAt <= now:
		return Expired
	}
	return Pending
}

// Check looks at everything that decides whether a new person may come in, in
// the contract's order, and returns the first reason against it.
func (inv Invitation) Check(now int64) error {
	if err := inv.Withdrawn(); err != nil {
		return err
	}
	switch shuts := inv.Room.Shuts(); {
	case inv.Uses >= inv.MaxUses:
		return Refusal{ErrUsed, inv}
	case inv.ExpiresAt <= now, shuts != 0 && shuts <= now:
		return Refusal{ErrExpired, inv}
	case inv.NotBefore > now, inv.Room.StartsAt > now:
		return Refusal{ErrNotYet, inv}
	}
	return nil
}

// Withdrawn returns the reason for which also those already admitted stay out:
// the link was replaced or revoked, or the room is closed.
func (inv Invitation) Withdrawn() error {
	switch {
	case inv.SupersededBy != 0:
		return Refusal{ErrSuperseded, inv}
	case inv.RevokedAt != 0:
		return Refusal{ErrRevoked, inv}
	case inv.Room.ClosedAt != 0:
		return Refusal{ErrRoomClosed, inv}
	}
	return nil
}

// Admission is the right of one browser or device to enter and come back.
type Admission struct {
	ID         rooms.ID
	Invitation rooms.ID
	Room       rooms.ID
	Role       Role
	Name       string
	Browser    string // hash of the browser's cookie, empty for the API
	CreatedAt  int64
	EndedAt    int64  // when it was taken away, 0 while it was not
	EnteredAt  int64  // when a join link was last handed out for it, 0 while none was
	Backend    string // the back end which that link leads to
	Returned   bool   // its use was given back
}

// Stay is how long an admission to a room without an end lasts.
const Stay = 12 * time.Hour

// Until is when the admission ends by itself, in Unix milliseconds: an hour
// after the room's end, or after Stay where there is none.
func (a Admission) Until(r rooms.Room) int64 {
	if shuts := r.Shuts(); shuts != 0 {
		return shuts
	}
	return a.CreatedAt + Stay.Milliseconds()
}

// Live tells whether the admission itself still holds; whether its invitation
// was withdrawn is Invitation.Withdrawn's to say.
func (a Admission) Live(r rooms.Room, now int64) bool {
	return a.EndedAt == 0 && now < a.Until(r)
}

// The bounds of what may be asked for.
const (
	MaxUses     = 1000
	MaxLifetime = 366 * 24 * time.Hour
	MinLifetime = time.Second
	MaxNameLen  = rooms.MaxName
	MaxEmailLen = 254
	UndoWindow  = rooms.UndoWindow
)

// ParseRole reads "host" or "guest"; nothing else, and nothing by default.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r == Host || r == Guest {
		return r, nil
	}
	return "", rooms.Invalid{Field: "role", Detail: fmt.Sprintf("is %q or %q", Host, Guest)}
}

// CheckUses refuses a number of people that no invitation may admit.
func CheckUses(n int) error {
	if n < 1 || n > MaxUses {
		return rooms.Invalid{Field: "max_uses", Detail: fmt.Sprintf("is 1 to %d", MaxUses)}
	}
	return nil
}
