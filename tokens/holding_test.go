package tokens_test

import (
	"net/url"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// A host's entry counts for the meeting at which it was made, and for no other.
func TestAHostsEntryOfAnotherMeetingLetsNobodyIn(t *testing.T) {
	t.Parallel()
	to := func(c rooms.Change) func(*testing.T, *datatest.Bench, rooms.Room) {
		return func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			_, err := b.Rooms.Change(t.Context(), ada(), room, c)
			must(t, err)
		}
	}
	for name, row := range map[string]struct {
		draft rooms.Draft
		do    func(*testing.T, *datatest.Bench, rooms.Room)
		wait  time.Duration
	}{
		"led to another back end": {rooms.Draft{Backend: "conf"}, to(rooms.Change{Backend: ptr("held")}), 0},
		"closed and opened again": {rooms.Draft{Backend: "held"}, func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			room, err := b.Rooms.SetClosed(t.Context(), ada(), room, true)
			must(t, err)
			b.Clock.Add(time.Minute)
			_, err = b.Rooms.SetClosed(t.Context(), ada(), room, false)
			must(t, err)
		}, 0},
		"moved to the afternoon": {rooms.Draft{Backend: "held", StartsAt: 1, EndsAt: ms(time.Hour)}, func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			to(rooms.Change{StartsAt: ptr(room.StartsAt + ms(8*time.Hour)), EndsAt: ptr(room.EndsAt + ms(8*time.Hour))})(t, b, room)
		}, 8*time.Hour + time.Minute},
		"long gone": {rooms.Draft{Backend: "held"}, func(*testing.T, *datatest.Bench, rooms.Room) {}, tokens.HostStays},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			if row.draft.EndsAt != 0 {
				row.draft.StartsAt, row.draft.EndsAt = b.Clock.Millis()-1, b.Clock.Millis()+row.draft.EndsAt
			}
			room := makeRoom(t, b, row.draft)
			guest := mint(t, b, room, tokens.Draft{ExpiresIn: 24 * time.Hour})
			enter := func() {
				_, err := b.Invitations.Reenter(t.Context(), room.Slug, hostsBrowser, true, true)
				must(t, err)
			}
			redeem(t, b, press(b, mint(t, b, room, tokens.Draft{Role: tokens.Host}), hostsBrowser))
			enter()
			row.do(t, b, room)
			b.Clock.Add(row.wait)
			_, err := b.Invitations.Redeem(t.Context(), press(b, guest, browser))
			wants(t, "a guest", err, tokens.ErrWaiting)
			b.Clock.Add(time.Millisecond)
			enter()
			redeem(t, b, press(b, guest, browser))
		})
	}
}

func ptr[T any](v T) *T { return &v }

// Where who bears a presenter's name acts as one, no guest bears a host's.
func TestAGuestIsNotCalledAsAHostIs(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	for backend, names := range map[string]map[string]string{
		"held": {"Ada Lovelace": "Ada Lovelace (guest ", " ada LOVELACE": "ada LOVELACE (guest ", "": "guest ", "Bo": "Bo"},
		"conf": {"Ada Lovelace": "Ada Lovelace", "": ""},
	} {
		room := makeRoom(t, b, rooms.Draft{Backend: backend})
		redeem(t, b, press(b, mint(t, b, room, tokens.Draft{Role: tokens.Host, Name: "Ada Lovelace"}), hostsBrowser))
		host, err := b.Invitations.Reenter(t.Context(), room.Slug, hostsBrowser, true, true)
		must(t, err)
		called := func(in tokens.Admitted) string {
			u, err := url.Parse(in.JoinLink)
			must(t, err)
			return u.Query().Get("name") + u.Query().Get("n")
		}
		if got := called(host); got != "Ada Lovelace" {
			t.Errorf("%s: the host is called %q", backend, got)
		}
		for name, want := range names {
			p := press(b, mint(t, b, room, tokens.Draft{}), "BROWSEROF"+name)
			p.Name = name
			redeem(t, b, p)
			in, err := b.Invitations.Reenter(t.Context(), room.Slug, p.Browser, false, true)
			must(t, err)
			got := called(in)
			if got != want && (len(got) < len(want)+4 || got[:len(want)] != want || want == "" || want == name) {
				t.Errorf("%s: %q is called %q", backend, name, got)
			}
		}
	}
}

// Who is in a meeting that the room left for another back end goes out of it, is
// known to whoever asks who remains, and does not keep the token of before.
func TestARoomThatIsHeldElsewhereLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*testing.T, *datatest.Bench, rooms.Room){
		"another back end": func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			_, err := b.Rooms.Change(t.Context(), ada(), room, rooms.Change{Backend: ptr("")})
			must(t, err)
		},
		"closed": func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			_, err := b.Rooms.SetClosed(t.Context(), ada(), room, true)
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			s := liveKit(t, b, time.Millisecond)
			room := makeRoom(t, b, rooms.Draft{Backend: "live"})
			in := inside(t, b, s, mint(t, b, room, tokens.Draft{}), browser)
			leave(t, b, room)
			b.Removals.Wait()
			s.Enter(t, in.JoinLink) // the token of seconds ago
			if len(s.Inside()) != 0 || told(t, b, room) != "removed ended" {
				t.Errorf("inside are %v; the history says %q", s.Inside(), told(t, b, room))
			}
			if until, entered, err := b.Invitations.Remaining(t.Context(), fetch(t, b, in.Invitation)); err != nil || !entered || until <= b.Clock.Millis() {
				t.Errorf("remaining: until %d, entered %v, %v", until, entered, err)
			}
		})
	}
}

// A conference that was away when its room left it is asked for those it let in,
// and not the one where the room is held now.
func TestRevokingAsksTheConferenceThatLetThemIn(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b, time.Millisecond)
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	in := inside(t, b, s, mint(t, b, room, tokens.Draft{}), browser)
	s.Down(true)
	_, err := b.Rooms.Change(t.Context(), ada(), room, rooms.Change{Backend: ptr("")})
	must(t, err)
	b.Removals.Wait()
	s.Down(false)
	_, err = b.Invitations.Revoke(t.Context(), ada(), fetch(t, b, in.Invitation), "")
	must(t, err)
	b.Removals.Wait()
	if len(s.Inside()) != 0 || told(t, b, room) != "not_removed not_ended removed" {
		t.Errorf("inside are %v; the history says %q", s.Inside(), told(t, b, room))
	}
}

// Who revokes invitations of their room together does nothing to another's.
func TestRevokingTogetherLeavesOthersRoomsAlone(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b, time.Millisecond)
	room := makeRoom(t, b, rooms.Draft{Name: "Ada's", Backend: "live"})
	inv := mint(t, b, room, tokens.Draft{})
	inside(t, b, s, inv, browser)
	s.Down(true)
	_, err := b.Invitations.Revoke(t.Context(), ada(), inv, "")
	must(t, err)
	b.Removals.Wait()
	s.Down(false)
	before := told(t, b, room)
	eve := rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "eve"}, Owner: "eve"}
	own, err := b.Rooms.Create(t.Context(), eve, rooms.Draft{Name: "Eve's", Backend: "live"})
	must(t, err)
	bait, err := b.Invitations.Mint(t.Context(), eve, own, tokens.Draft{Role: tokens.Guest}, true)
	must(t, err)
	_, _, err = b.Invitations.RevokeAll(t.Context(), eve, own, []rooms.ID{bait.ID, inv.ID})
	must(t, err)
	b.Removals.Wait()
	if after := told(t, b, room); after != before {
		t.Errorf("the history of another's room said %q, and says %q", before, after)
	}
}
