package tokens

import (
	"context"
	"strings"
	"sync"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
)

// HostEntry is an invitation by which a host went in with one press.
type HostEntry struct{ Invitation, Room rooms.ID }

// HostEntering is a host, in lower case, who goes in by an invitation. SignIn is 0
// where there is no sign-in.
type HostEntering struct {
	Invitation rooms.ID
	Host       string
	SignIn     rooms.ID
}

// maxHostEntries is by how many invitations one host can be in with one press: one
// for each browser and room.
const maxHostEntries = 100

// HostEntryStore knows by which invitations hosts went in with one press. Hosts'
// names come in lower case.
type HostEntryStore interface {
	// NoteEntry notes that it is by this one. It is withdrawn when all ends that the
	// host is signed in with, but for that sign-in. Of more than most that are not over
	// the oldest are withdrawn, at the event's moment and by its actor.
	NoteEntry(ctx context.Context, in HostEntering, most int, ev audit.Event) error
	// EntriesEnded returns those of the host that were withdrawn at that very moment.
	EntriesEnded(ctx context.Context, host string, at int64) ([]HostEntry, error)
}

// HostDoor lets hosts into their own rooms with one press. It is safe for
// concurrent use.
type HostDoor struct {
	Invitations *Invitations

	mu    sync.Mutex
	doors map[string]*sync.WaitGroup
}

// Enter returns this browser's live admission to the room as a host, or mints
// an invitation of that name and redeems it here, in that sign-in. mayHost is as for Mint. Where
// the conference does not answer nothing is minted.
func (d *HostDoor) Enter(ctx context.Context, by rooms.Caller, room rooms.Room, name, browser string, signIn rooms.ID, mayHost bool) (Admitted, error) {
	defer d.alone(browser)()
	s := d.Invitations
	in, err := s.reenter(ctx, room.Slug, browser, true)
	if err == nil && in.Admission.Role == Host {
		return in, nil
	}
	if !mayHost {
		return Admitted{}, ErrRoleBarred
	}
	now := s.Now().UnixMilli()
	probe := Invitation{Room: room, Role: Host, MaxUses: 1, ExpiresAt: now + 1}
	if err := probe.Check(now); err != nil {
		return Admitted{}, err
	}
	if _, err := s.Handover.JoinLink(ctx, conference.Visit{Room: room, Admission: s.IDs.Next(now), Role: string(Host), Name: name, Until: now + Stay.Milliseconds()}); err != nil {
		return Admitted{}, err
	}
	inv, err := s.Mint(ctx, by, room, Draft{Role: Host, Name: name}, mayHost)
	if err == nil {
		err = s.Store.NoteEntry(ctx, HostEntering{inv.ID, strings.ToLower(by.Owner), signIn}, maxHostEntries, audit.Event{At: now, Actor: by.Actor})
	}
	if err != nil {
		return Admitted{}, err
	}
	s.HostEnded(ctx, by.Owner, now) // the oldest, where this is one too many
	return s.Redeem(ctx, Redemption{Link: s.Links.Short(inv), Nonce: PageNonce(browser, inv.ID), Browser: browser,
		Actor: audit.Actor{Kind: audit.Guest}})
}

// HostEnded sees out of their conferences, at this moment's end of all that the host
// was signed in with, who went in as that host with one press: their invitations
// are withdrawn.
func (s *Invitations) HostEnded(ctx context.Context, host string, at int64) {
	entries, err := s.Store.EntriesEnded(ctx, strings.ToLower(host), at)
	if err != nil {
		return // they may not come back; nobody is to be told that signing out failed
	}
	for _, e := range entries {
		if room, err := s.Rooms.ByID(ctx, e.Room); err == nil {
			s.Removals.withdrawn(room, e.Invitation)
		}
	}
}

// alone lets the presses of one browser in one after the other, so that a
// second finds what the first made.
func (d *HostDoor) alone(browser string) (leave func()) {
	own := &sync.WaitGroup{}
	own.Add(1)
	d.mu.Lock()
	for d.doors[browser] != nil {
		before := d.doors[browser]
		d.mu.Unlock()
		before.Wait()
		d.mu.Lock()
	}
	defer d.mu.Unlock()
	if d.doors == nil {
		d.doors = map[string]*sync.WaitGroup{}
	}
	d.doors[browser] = own
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.doors, browser)
		own.Done()
	}
}
