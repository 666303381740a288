package tokens

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
)

// Store keeps invitations and admissions. Every changing method is one
// transaction that also stores the event; when it returns nil the change is on
// the disk. Implementations MUST be safe for concurrent use and answer
// rooms.ErrUnavailable when the database cannot be reached.
type Store interface {
	BatchStore
	RequestStore
	MoveStore
	EntryStore
	HostEntryStore
	AttendanceStore
	NamesStore
	DoorStore
	// Insert adds invitations, each with the event of the same index, all or
	// none: rooms.ErrIDTaken when an id was used.
	Insert(ctx context.Context, invs []Invitation, evs []audit.Event) error
	// InsertRooms adds rooms as rooms.Store's Insert does and, in the same
	// transaction, invitations to them.
	InsertRooms(ctx context.Context, all []rooms.Room, made []audit.Event, invs []Invitation, evs []audit.Event) error
	// ByID returns one invitation with its room and counter, or ErrNotFound.
	ByID(ctx context.Context, id rooms.ID) (Invitation, error)
	// List returns invitations in the order asked for, those of one name by id.
	List(ctx context.Context, q Query) ([]Invitation, error)
	// Update stores name, email, times and max uses: ErrConflict when more uses
	// were taken than it would allow, or it is superseded.
	Update(ctx context.Context, inv Invitation, ev audit.Event) error
	// Revoke withdraws the invitation from that moment. It reports false, and
	// stores no event, when it was withdrawn already.
	Revoke(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (bool, error)
	// Restore takes a revocation back that is younger than since. It reports
	// false, and stores no event, when nothing was there to take back; it is
	// ErrRoomFull when guests would come back for whom there is no place.
	Restore(ctx context.Context, id rooms.ID, since int64, ev audit.Event) (bool, error)
	// Reissue adds next, and marks old as superseded by it unless they share
	// one counter: ErrConflict when old is superseded already. It closes every
	// open request for old as answered by next.
	Reissue(ctx context.Context, old rooms.ID, next Invitation, ev audit.Event) error
	// Opened notes that the page was looked at, unless that was noted after since.
	Opened(ctx context.Context, id rooms.ID, since int64, ev audit.Event) error
	// Refused notes that the invitation was refused for the reason in the event's
	// detail, unless an event of that kind and detail was noted after since.
	Refused(ctx context.Context, since int64, ev audit.Event) error
	// Names returns what the invitations of these ids are called; those that
	// there are not are missing.
	Names(ctx context.Context, ids []rooms.ID) (map[rooms.ID]Called, error)
	// Callers returns what the last ones admitted by the invitations of these ids
	// said they are called; where nobody said, it is missing.
	Callers(ctx context.Context, ids []rooms.ID) (map[rooms.ID]string, error)
	// RevokeAll withdraws those of these invitations that are the room's and not
	// withdrawn yet, each with the event made for it, all or none, and tells which
	// those were.
	RevokeAll(ctx context.Context, room rooms.ID, ids []rooms.ID, at int64, ev func(rooms.ID) audit.Event) ([]rooms.ID, error)
	// RestoreAll takes back what was revoked in the room at that very moment, if
	// that is after since, and tells how many invitations that were; all or none,
	// ErrRoomFull as for Restore.
	RestoreAll(ctx context.Context, room rooms.ID, at, since int64, ev func(rooms.ID) audit.Event) (int, error)
	// Claim takes one use for this nonce, or finds the use it took before.
	//
	// The same (invitation, nonce) always gives the same admission and never
	// takes a second use, also when asked at once. A new nonce gets an admission
	// only if, in that very statement, Invitation.Check would pass, and the
	// invitation was moved as often as the claim says; else it
	// is ErrNotClaimed and nothing has changed. Where the claim is Limited and the
	// room holds as many live admissions of guests as it takes, it is ErrRoomFull,
	// exactly, also among claims at once.
	Claim(ctx context.Context, c Claim, ev audit.Event) (Admission, error)
	// Admission returns the one of this invitation and nonce, or ErrNotFound.
	Admission(ctx context.Context, invitation rooms.ID, nonce string) (Admission, error)
	// Latest returns the browser's latest admission to the room, made after since,
	// that holds: one of that role, else one of the other, else the latest that
	// does not hold, because it was ended or its invitation withdrawn; or ErrNotFound.
	Latest(ctx context.Context, room rooms.ID, browser string, role Role, since int64) (Admission, error)
	// Events returns the invitation's history, newest first, before the given id.
	Events(ctx context.Context, invitation rooms.ID, before rooms.ID, limit int) ([]audit.Event, error)
}

// Claim is the wish to take one use. Nonce is the hash of what the caller sent;
// Admission.CreatedAt is the moment by which the claim is judged.
type Claim struct {
	Admission Admission
	Counter   rooms.ID
	Nonce     string
	Moves     int  // the invitation's as read: a device that was left meanwhile takes no use
	Limited   bool // the room has a capacity, and this is a guest
}

// Query asks for a room's invitations, the newest first where it says nothing
// else. Empty members do not filter; After is where the page goes on.
type Query struct {
	Room       rooms.ID
	State      State
	Role       Role
	Text       string // part of a name or address, in any case
	ExternalID string
	Batch      Batch
	Mail       outbox.State // of the latest mail that was settled
	Attendance Attendance   // of which the list of guests is a part
	Over       bool         // the room is, by which Attendance is judged
	Sort       Sort
	After      Position
	Limit      int
	Now        int64
}
