package tokens_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/tokens"
)

const hostsBrowser = "HOSTHOSTHOSTHOSTHOSTHOST23"

// Guests of a back end that makes whoever comes first a host are neither
// claimed nor handed a link before a host was; then they are, and come back.
func TestGuestsWaitForAHost(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := t.Context()
		room := makeRoom(t, b, rooms.Draft{Backend: "held"})
		guest, host := mint(t, b, room, tokens.Draft{PIN: "4711"}), mint(t, b, room, tokens.Draft{Role: tokens.Host})
		before := count(t, b, guest)
		waits := func(what string) {
			t.Helper()
			_, _, err := b.Invitations.Show(ctx, b.Invitations.Links.Short(guest), "", browser)
			wants(t, what+": shown", err, tokens.ErrWaiting)
			wants(t, what+": inspected", b.Invitations.Admits(ctx, fetch(t, b, guest)), tokens.ErrWaiting)
			for _, r := range []tokens.Redemption{press(b, guest, browser), call(b, guest, "gate", nonce)} {
				_, err = b.Invitations.Redeem(ctx, r)
				wants(t, what+": the PIN is looked at before", err, tokens.ErrPINRequired)
				r.PIN = "4711"
				_, err = b.Invitations.Redeem(ctx, r)
				wants(t, what+": pressed", err, tokens.ErrWaiting)
			}
			if n := count(t, b, guest); n != before {
				t.Errorf("%s: waiting changed %+v to %+v", what, before, n)
			}
		}
		waits("nobody is in")
		redeem(t, b, press(b, host, hostsBrowser))
		waits("a host is admitted, and has not entered")
		out, err := b.Invitations.Reenter(ctx, room.Slug, hostsBrowser, true, true)
		must(t, err)
		if out.JoinLink == "" {
			t.Fatal("the host got no link")
		}
		open := press(b, guest, browser)
		open.PIN = "4711"
		redeem(t, b, open)
		first, err := b.Invitations.Reenter(ctx, room.Slug, browser, false, true)
		must(t, err)
		again, err := b.Invitations.Reenter(ctx, room.Slug, browser, false, true)
		must(t, err)
		if first.JoinLink == again.JoinLink || again.Admission.EnteredAt != b.Clock.Millis() {
			t.Errorf("re-entering gave %v", again.Admission)
		}
		held := func(what string) {
			t.Helper()
			_, err := b.Invitations.Reenter(ctx, room.Slug, browser, false, true)
			wants(t, what+": rejoin", err, tokens.ErrWaiting)
			_, _, err = b.Invitations.Show(ctx, b.Invitations.Links.Short(guest), "", browser)
			wants(t, what+": the link's page", err, tokens.ErrWaiting)
			if _, err := b.Invitations.Reenter(ctx, room.Slug, browser, false, false); err != nil {
				t.Errorf("%s: the admission itself: %v", what, err)
			}
		}
		must(t, b.Lobby.Remove(ctx, ada(), room, out.Admission.ID))
		held("the host was removed")
		must(t, b.Lobby.Readmit(ctx, ada(), room, out.Admission.ID))
		if _, err := b.Invitations.Reenter(ctx, room.Slug, browser, false, true); err != nil {
			t.Errorf("with the host back: %v", err)
		}
		_, err = b.Invitations.Revoke(ctx, ada(), host, "")
		must(t, err)
		held("the host's link was revoked")
	})
}

// Yesterday's host has left: also in a room that is open for days.
func TestYesterdaysHostDoesNotLetGuestsIn(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		now := b.Clock.Millis()
		for name, d := range map[string]rooms.Draft{
			"no window": {Backend: "held"},
			"days":      {Backend: "held", StartsAt: now, EndsAt: now + ms(100*time.Hour)},
		} {
			room := makeRoom(t, b, d)
			guest := mint(t, b, room, tokens.Draft{ExpiresIn: 90 * time.Hour})
			// A gate's answer has the link: that is entering.
			redeem(t, b, call(b, mint(t, b, room, tokens.Draft{Role: tokens.Host}), "gate", nonce))
			wants(t, name+": today", b.Invitations.Admits(t.Context(), guest), nil)
			b.Clock.Add(tokens.Stay)
			wants(t, name+": tomorrow", b.Invitations.Admits(t.Context(), guest), tokens.ErrWaiting)
		}
	})
}

// meanwhile is a conference that takes its time: something happens before its
// answer is there.
type meanwhile struct {
	tokens.Handover
	happens func()
}

func (m *meanwhile) JoinLink(ctx context.Context, v conference.Visit) (string, error) {
	link, err := m.Handover.JoinLink(ctx, v)
	m.happens()
	return link, err
}

// No link leaves whose right ended, on another instance, while it was made.
func TestNoLinkLeavesAfterARevocation(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := t.Context()
		other := datatest.On(t, b.URL) // another instance
		for name, end := range map[string]struct {
			do   func(in tokens.Admitted) error
			want error
		}{
			"revoked": {func(in tokens.Admitted) error {
				_, err := other.Invitations.Revoke(ctx, ada(), in.Invitation, "")
				return err
			}, tokens.ErrRevoked},
			"replaced": {func(in tokens.Admitted) error {
				_, err := other.Invitations.Reissue(ctx, ada(), in.Invitation, false, true)
				return err
			}, tokens.ErrSuperseded},
			"removed": {func(in tokens.Admitted) error {
				return other.Lobby.Remove(ctx, ada(), in.Invitation.Room, in.Admission.ID)
			}, tokens.ErrRevoked},
			"closed": {func(in tokens.Admitted) error {
				_, err := other.Rooms.SetClosed(ctx, ada(), in.Invitation.Room, true)
				return err
			}, tokens.ErrRoomClosed},
		} {
			for _, gates := range []bool{false, true} {
				inv := mint(t, b, makeRoom(t, b, rooms.Draft{Backend: "conf"}), tokens.Draft{})
				ask := press(b, inv, browser)
				if gates {
					ask = call(b, inv, "gate", nonce)
				}
				in := redeem(t, b, ask)
				conferences, once := b.Invitations.Handover, sync.Once{}
				b.Invitations.Handover = &meanwhile{conferences, func() { once.Do(func() { must(t, end.do(in)) }) }}
				var out tokens.Admitted
				var err error
				if gates {
					out, err = b.Invitations.Redeem(ctx, ask)
				} else {
					out, err = b.Invitations.Reenter(ctx, inv.Room.Slug, browser, false, true)
				}
				b.Invitations.Handover = conferences
				if !errors.Is(err, end.want) || out.JoinLink != "" {
					t.Errorf("%s, at a gate %v: %q, %v; want %v", name, gates, out.JoinLink, err, end.want)
				}
			}
		}
	})
}

// One press is one invitation, however often it is made.
func TestAHostEntersWithOnePress(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx, way := t.Context(), &tokens.HostDoor{Invitations: b.Invitations}
		room := makeRoom(t, b, rooms.Draft{Backend: "held"})
		ids := make([]rooms.ID, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				in, err := way.Enter(ctx, ada(), room, "Ada Lovelace", hostsBrowser, 0, true)
				wants(t, "entering", err, nil)
				ids[i] = in.Admission.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id == 0 || id != ids[0] {
				t.Fatalf("the presses of one browser gave %v", ids)
			}
		}
		list, err := b.Invitations.Store.List(ctx, tokens.Query{Room: room.ID, Limit: 9, Now: b.Clock.Millis()})
		must(t, err)
		if len(list) != 1 || list[0].Role != tokens.Host || list[0].Name != "Ada Lovelace" || list[0].Uses != 1 || list[0].CreatedBy != ada().Actor {
			t.Errorf("%d invitations: %+v", len(list), list)
		}
		_, err = way.Enter(ctx, ada(), room, "Ada", browser, 0, false)
		wants(t, "without the right to mint hosts", err, tokens.ErrRoleBarred)
		_, err = way.Enter(ctx, ada(), makeRoom(t, b, rooms.Draft{StartsAt: b.Clock.Millis() + 1}), "Ada", hostsBrowser, 0, true)
		wants(t, "before the room opens", err, tokens.ErrNotYet)
		b.Invitations.Handover = &door{Handover: b.Invitations.Handover, shut: true}
		other := makeRoom(t, b, rooms.Draft{Backend: "conf"})
		_, err = way.Enter(ctx, ada(), other, "Ada", hostsBrowser, 0, true)
		wants(t, "while the conference does not answer", err, conference.ErrUnreachable)
		list, err = b.Invitations.Store.List(ctx, tokens.Query{Room: other.ID, Limit: 9, Now: b.Clock.Millis()})
		must(t, err)
		if len(list) != 0 {
			t.Errorf("a failing conference left %d invitations", len(list))
		}
	})
}
