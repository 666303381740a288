package tokens_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
	"admitone/tokens"
)

// liveKit lets the Bench's rooms be held at a LiveKit of the test's own, as "live".
func liveKit(t *testing.T, b *datatest.Bench, pauses ...time.Duration) *datatest.LiveKit {
	t.Helper()
	s := datatest.NewLiveKit(t)
	backends, err := conference.Parse("[" + s.Backend("live") + "]")
	must(t, err)
	backends.Now, backends.Secret = b.Clock.Now, b.Ring.CodeMAC
	b.Removals = tokens.NewRemovals(b.Invitations.Store, b.Lobby.Store, b.Invitations.Rooms, backends, b.Clock.Now, pauses...)
	b.Rooms.Backends, b.Rooms.Closed = backends.Has, b.Removals.Closed
	b.Invitations.Handover, b.Invitations.Removals = backends, b.Removals
	b.Lobby.Handover, b.Lobby.Removals = backends, b.Removals
	t.Cleanup(b.Removals.Drain)
	return s
}

// inside redeems the invitation in that browser and goes into the conference.
func inside(t *testing.T, b *datatest.Bench, s *datatest.LiveKit, inv tokens.Invitation, browser string) tokens.Admitted {
	t.Helper()
	redeem(t, b, press(b, inv, browser))
	out, err := b.Invitations.Reenter(t.Context(), inv.Room.Slug, browser, inv.Role == tokens.Host, true)
	must(t, err)
	s.Enter(t, out.JoinLink)
	return out
}

// told are the conference's lines of the room's history, the latest last.
func told(t *testing.T, b *datatest.Bench, room rooms.Room) (kinds string) {
	t.Helper()
	list, err := b.Rooms.Store.Events(t.Context(), room.ID, 0, 100)
	must(t, err)
	slices.Reverse(list)
	for _, ev := range list {
		if ev.Actor.Kind == audit.System {
			kinds += strings.TrimPrefix(string(ev.Kind), "conference.") + " "
		}
	}
	return strings.TrimSpace(kinds)
}

func TestWhoseRightEndsIsRemovedFromTheConference(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context, *datatest.Bench, tokens.Admitted) error{
		"revoked": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted) error {
			_, err := b.Invitations.Revoke(ctx, ada(), in.Invitation, "")
			return err
		},
		"revoked with others": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted) error {
			_, _, err := b.Invitations.RevokeAll(ctx, ada(), in.Invitation.Room, []rooms.ID{in.Invitation.ID})
			return err
		},
		"replaced by a new link": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted) error {
			_, err := b.Invitations.Reissue(ctx, ada(), in.Invitation, false, true)
			return err
		},
		"removed": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted) error {
			return b.Lobby.Remove(ctx, ada(), in.Invitation.Room, in.Admission.ID)
		},
		"moved to another device": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted) error {
			code, _, err := b.Invitations.OfferMove(ctx, in, browser)
			if err != nil {
				return err
			}
			_, err = b.Invitations.TakeMove(ctx, code, hostsBrowser)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			s := liveKit(t, b, time.Millisecond)
			room := makeRoom(t, b, rooms.Draft{Backend: "live"})
			in := inside(t, b, s, mint(t, b, room, tokens.Draft{}), browser)
			stays := inside(t, b, s, mint(t, b, room, tokens.Draft{}), "ANOTHERBROWSERSCOOKIE23456")
			must(t, end(t.Context(), b, in))
			b.Removals.Wait()
			if got := s.Inside(); len(got) != 1 || got[0] != stays.Admission.ID.Show(rooms.AdmissionPrefix) {
				t.Errorf("inside are %v, want %v alone", got, stays.Admission.ID)
			}
			if got := told(t, b, room); got != "removed" {
				t.Errorf("the history says %q", got)
			}
		})
	}
}

func TestAClosedRoomsMeetingEnds(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b)
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	inside(t, b, s, mint(t, b, room, tokens.Draft{}), browser)
	_, err := b.Rooms.SetClosed(t.Context(), ada(), room, true)
	must(t, err)
	b.Removals.Wait()
	if s.Rooms() != 0 || told(t, b, room) != "removed ended" {
		t.Errorf("%d meetings go on; the history says %q", s.Rooms(), told(t, b, room))
	}
}

// A conference that does not answer is asked again, not for ever; nobody waits
// for it, and the history says what came of it.
func TestAConferenceThatDoesNotRemove(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b, time.Millisecond, time.Millisecond)
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	inv := mint(t, b, room, tokens.Draft{})
	inside(t, b, s, inv, browser)
	s.Down(true)
	_, err := b.Invitations.Revoke(t.Context(), ada(), inv, "")
	must(t, err)
	b.Removals.Wait()
	if _, failed := s.Count(); failed != 3 || told(t, b, room) != "not_removed" {
		t.Errorf("asked %d times in vain; the history says %q", failed, told(t, b, room))
	}
	_, err = b.Rooms.SetClosed(t.Context(), ada(), room, true)
	must(t, err)
	b.Removals.Wait()
	if told(t, b, room) != "not_removed not_removed not_ended" {
		t.Errorf("the history says %q", told(t, b, room))
	}
}

// Who is let back in before the conference could be reached is not removed any
// more; and stopping waits for no pause.
func TestARestoredGuestIsNotRemoved(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b, time.Hour)
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	inv := mint(t, b, room, tokens.Draft{})
	inside(t, b, s, inv, browser)
	s.Down(true)
	inv, err := b.Invitations.Revoke(t.Context(), ada(), inv, "")
	must(t, err)
	for asked, failed := s.Count(); failed == 0; asked, failed = s.Count() {
		if t.Context().Err() != nil {
			t.Fatalf("asked %d times", asked)
		}
	}
	_, err = b.Invitations.Restore(t.Context(), ada(), inv, "")
	must(t, err)
	s.Down(false)
	b.Removals.Drain()
	if len(s.Inside()) != 1 || told(t, b, room) != "" {
		t.Errorf("inside are %v; the history says %q", s.Inside(), told(t, b, room))
	}
}

// Who is inside is what the conference says; a page waits for it only a moment,
// and however many ask, it is asked once.
func TestWhoIsInside(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := liveKit(t, b)
	ctx := t.Context()
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	var in []tokens.Admitted
	for i := range 3 {
		in = append(in, inside(t, b, s, mint(t, b, room, tokens.Draft{Name: fmt.Sprint("guest ", i)}), fmt.Sprintf("BROWSERNUMBER%dOFTHISTEST23", i)))
	}
	must(t, b.Lobby.Remove(ctx, ada(), room, in[0].Admission.ID))
	b.Removals.Wait()
	before, _ := s.Count()
	for range 20 {
		list, known, err := b.Lobby.Inside(ctx, room)
		must(t, err)
		if len(list) != 2 || !known || list[0].Admission != in[1].Admission.ID || list[0].Name != "guest 1" {
			t.Fatalf("inside are %+v, told %v", list, known)
		}
	}
	if asked, _ := s.Count(); asked != before+1 {
		t.Errorf("asked %d times for twenty pages", asked-before)
	}
	release := s.Hold()
	began, slow := time.Now(), makeRoom(t, b, rooms.Draft{Backend: "live"})
	if _, known, err := b.Lobby.Inside(ctx, slow); err != nil || known || time.Since(began) > conference.Timeout/2 {
		t.Errorf("while it takes its time: %v, %v after %s", known, err, time.Since(began))
	}
	release()
	s.Down(true)
	other := makeRoom(t, b, rooms.Draft{Backend: "live"})
	if list, known, err := b.Lobby.Inside(ctx, other); err != nil || known || len(list) != 0 {
		t.Errorf("while it does not answer: %v, %v, %v", list, known, err)
	}
}
