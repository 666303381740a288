package tokens_test

import (
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// comesBack looks whether the browser's earlier redemption lets it in again, by
// every way there is: the page of the admitted, the link's page, another press.
func comesBack(t *testing.T, b *datatest.Bench, inv tokens.Invitation, want bool, refusal error) {
	t.Helper()
	was := count(t, b, inv)
	_, err := b.Invitations.Reenter(t.Context(), inv.Room.Slug, browser, false, true)
	_, admission, shown := b.Invitations.Show(t.Context(), b.Invitations.Links.Short(inv), "", browser)
	_, pressed := b.Invitations.Redeem(t.Context(), press(b, inv, browser))
	if want && (err != nil || shown != nil || admission == nil || pressed != nil) {
		t.Errorf("does not come back: re-entering %v, showing %v %v, pressing %v", err, admission, shown, pressed)
	}
	if !want {
		if err == nil || admission != nil {
			t.Errorf("comes back: %v, %v", err, admission)
		}
		wants(t, "shown", shown, refusal)
		wants(t, "pressed", pressed, refusal)
	}
	if n := count(t, b, inv); n != was {
		t.Errorf("coming back changed %+v to %+v", was, n)
	}
}

func TestAnAdmissionLastsAsTheContractSays(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		now := b.Clock.Millis()
		for _, tt := range []struct {
			name string
			room rooms.Draft
			life time.Duration
		}{
			{"no window", rooms.Draft{}, 12 * time.Hour},
			{"a start alone", rooms.Draft{StartsAt: now - 1}, 12 * time.Hour},
			{"an end", rooms.Draft{EndsAt: now + ms(30*time.Minute)}, 90 * time.Minute},
			{"a window", rooms.Draft{StartsAt: now, EndsAt: now + ms(48*time.Hour)}, 49 * time.Hour},
		} {
			begin := b.Clock.Now()
			d := tt.room
			if shift := begin.UnixMilli() - now; shift > 0 { // earlier rows have moved the clock
				d.StartsAt, d.EndsAt = later(d.StartsAt, shift), later(d.EndsAt, shift)
			}
			room := makeRoom(t, b, d)
			single := mint(t, b, room, tokens.Draft{ExpiresAt: begin.UnixMilli() + ms(200*time.Hour)})
			out := redeem(t, b, press(b, single, browser))
			if want := begin.UnixMilli() + ms(tt.life); out.Admission.Until(room) != want {
				t.Errorf("%s: until %d, want %d", tt.name, out.Admission.Until(room), want)
			}
			b.Clock.Add(tt.life - time.Millisecond)
			comesBack(t, b, single, true, nil)
			b.Clock.Add(time.Millisecond)
			comesBack(t, b, single, false, tokens.ErrUsed)
		}
	})
}

func later(at, shift int64) int64 {
	if at == 0 {
		return 0
	}
	return at + shift
}

// With uses left, the second coming of a person whose admission has ended takes
// none of them: one nonce is one use, for ever.
func TestAnEndedAdmissionTakesNoSecondUse(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{MaxUses: 3, ExpiresIn: 100 * time.Hour})
		redeem(t, b, press(b, inv, browser))
		b.Clock.Add(12 * time.Hour)
		comesBack(t, b, inv, false, tokens.ErrExpired)
		redeem(t, b, press(b, inv, "ANOTHERBROWSERSCOOKIE23456"))
	})
}

func TestTakingTheInvitationBackEndsReentry(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx, by := t.Context(), ada()
		admitted := func() tokens.Invitation {
			inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{MaxUses: 2})
			redeem(t, b, press(b, inv, browser))
			comesBack(t, b, inv, true, nil)
			return inv
		}

		inv := admitted()
		_, err := b.Invitations.Revoke(ctx, by, inv, "")
		must(t, err)
		comesBack(t, b, inv, false, tokens.ErrRevoked)
		_, err = b.Invitations.Reenter(ctx, inv.Room.Slug, browser, false, true)
		wants(t, "re-entering says why", err, tokens.ErrRevoked)
		_, err = b.Invitations.Restore(ctx, by, inv, "")
		must(t, err)
		comesBack(t, b, inv, true, nil)

		inv = admitted()
		closed, err := b.Rooms.SetClosed(ctx, by, inv.Room, true)
		must(t, err)
		comesBack(t, b, inv, false, tokens.ErrRoomClosed)
		_, err = b.Rooms.SetClosed(ctx, by, closed, false)
		must(t, err)
		comesBack(t, b, inv, true, nil)

		inv = admitted()
		_, err = b.Invitations.Reissue(ctx, by, fetch(t, b, inv), false, true)
		must(t, err)
		comesBack(t, b, inv, false, tokens.ErrSuperseded)

		inv = admitted()
		_, err = b.Invitations.Reissue(ctx, by, fetch(t, b, inv), true, true)
		must(t, err)
		comesBack(t, b, inv, true, nil)

		inv = admitted() // a gate's nonce is refused just so
		r := call(b, inv, "gate", nonce)
		redeem(t, b, r)
		_, err = b.Invitations.Revoke(ctx, by, inv, "")
		must(t, err)
		_, err = b.Invitations.Redeem(ctx, r)
		wants(t, "a gate's retry after revoking", err, tokens.ErrRevoked)
	})
}

func TestTheLatestLiveAdmissionCounts(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := t.Context()
		room, elsewhere := makeRoom(t, b, rooms.Draft{}), makeRoom(t, b, rooms.Draft{})
		admitted := func(role tokens.Role) (tokens.Invitation, rooms.ID) {
			b.Clock.Add(time.Second)
			inv := mint(t, b, room, tokens.Draft{Role: role, ExpiresIn: 100 * time.Hour})
			return inv, redeem(t, b, press(b, inv, browser)).Admission.ID
		}
		enters := func(what string, asHost bool, want rooms.ID) {
			t.Helper()
			got, err := b.Invitations.Reenter(ctx, room.Slug, browser, asHost, true)
			if err != nil || got.Admission.ID != want || got.Invitation.ID != got.Admission.Invitation || got.Invitation.Role != got.Admission.Role {
				t.Errorf("%s: enters by %+v, %v; want admission %v", what, got.Admission, err, want)
			}
		}
		first, firstIn := admitted(tokens.Guest)
		enters("one guest's", false, firstIn)
		enters("one guest's, as host: nobody becomes one by asking", true, firstIn)
		_, second := admitted(tokens.Guest)
		enters("two guests'", false, second)
		host, hostIn := admitted(tokens.Host)
		enters("a later host's is not chosen by itself", false, second)
		enters("a host's, chosen", true, hostIn)
		third, thirdIn := admitted(tokens.Guest)
		enters("a later guest's", false, thirdIn)
		enters("the host's still, chosen", true, hostIn)

		_, err := b.Invitations.Revoke(ctx, ada(), third, "")
		must(t, err)
		enters("the latest was revoked: the one before", false, second)
		_, err = b.Invitations.Revoke(ctx, ada(), host, "")
		must(t, err)
		enters("the host's was revoked: a guest's", true, second)
		_, err = b.Invitations.Restore(ctx, ada(), host, "")
		must(t, err)
		enters("restored", true, hostIn)

		for what, ask := range map[string]struct{ slug, browser string }{
			"another room": {elsewhere.Slug, browser}, "no room": {"nowhere", browser}, "another browser": {room.Slug, "ANOTHERBROWSERSCOOKIE23456"}, "no cookie": {room.Slug, ""},
		} {
			_, err := b.Invitations.Reenter(ctx, ask.slug, ask.browser, false, true)
			wants(t, what, err, tokens.ErrNotFound)
		}
		redeem(t, b, press(b, first, browser)) // pressing the first link again changes nothing about that
		enters("after an old link was pressed again", false, second)
		b.Clock.Add(12 * time.Hour)
		_, err = b.Invitations.Reenter(ctx, room.Slug, browser, false, true)
		if err == nil {
			t.Error("enters after all has ended")
		}
	})
}

// Only a host's admission in this browser: there is nothing to choose from.
func TestAHostAloneInABrowserEntersAsHost(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Role: tokens.Host})
	in := redeem(t, b, press(b, inv, browser)).Admission
	for _, asHost := range []bool{false, true} {
		got, err := b.Invitations.Reenter(t.Context(), inv.Room.Slug, browser, asHost, true)
		if err != nil || got.Admission != in {
			t.Errorf("as host %v: %+v, %v", asHost, got.Admission, err)
		}
	}
}
