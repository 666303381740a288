package tokens

import (
	"context"
	"sync"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
)

// HostDoor lets hosts into their own rooms with one press. It is safe for
// concurrent use.
type HostDoor struct {
	Invitations *Invitations

	mu    sync.Mutex
	doors map[string]*sync.WaitGroup
}

// Enter returns this browser's live admission to the room as a host, or mints
// an invitation of that name and redeems it here. mayHost is as for Mint. Where
// the conference does not answer nothing is minted.
func (d *HostDoor) Enter(ctx context.Context, by rooms.Caller, room rooms.Room, name, browser string, mayHost bool) (Admitted, error) {
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
	if err != nil {
		return Admitted{}, err
	}
	return s.Redeem(ctx, Redemption{Link: s.Links.Short(inv), Nonce: PageNonce(browser, inv.ID), Browser: browser,
		Actor: audit.Actor{Kind: audit.Guest}})
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
