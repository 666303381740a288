package tokens_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
	"admitone/tokens"
)

// storm lets one guest after the other enter while their right ends, and wants
// each for whom a link left to have been removed in the end.
func storm(t *testing.T, rounds int, end func(b *datatest.Bench, in tokens.Admitted, browser string, i int)) {
	t.Helper()
	b := datatest.SQLite(t)
	s := liveKit(t, b, time.Millisecond, 5*time.Millisecond)
	room := makeRoom(t, b, rooms.Draft{Backend: "live"})
	for i := range rounds {
		browser := fmt.Sprintf("BROWSER%019d", i)
		in := redeem(t, b, press(b, mint(t, b, room, tokens.Draft{}), browser))
		var all sync.WaitGroup
		entered := false
		all.Go(func() {
			if out, err := b.Invitations.Reenter(t.Context(), room.Slug, browser, false, true); err == nil {
				entered = true
				s.Enter(t, out.JoinLink)
			}
		})
		all.Go(func() { end(b, in, browser, i) })
		all.Wait()
		b.Removals.Wait()
		evs, err := b.Invitations.Store.Events(t.Context(), in.Invitation.ID, 0, 20)
		must(t, err)
		kinds, removed := "", false
		for _, ev := range evs {
			kinds = string(ev.Kind) + " " + kinds
			removed = removed || ev.Kind == audit.ConferenceRemoved
		}
		if entered != removed || len(s.Inside()) != 0 {
			t.Fatalf("round %d: a link left: %v; inside are %v; the history says %s", i, entered, s.Inside(), kinds)
		}
	}
}

// Whoever enters at the very moment at which their right ends is not in for good.
func TestWhoEntersWhileBeingRemovedIsRemoved(t *testing.T) {
	t.Parallel()
	storm(t, 120, func(b *datatest.Bench, in tokens.Admitted, _ string, i int) {
		if i%2 == 0 {
			_, err := b.Invitations.Revoke(t.Context(), ada(), in.Invitation, "")
			wants(t, "revoking", err, nil)
		} else {
			wants(t, "removing", b.Lobby.Remove(t.Context(), ada(), in.Invitation.Room, in.Admission.ID), nil)
		}
	})
}

func TestTheDeviceThatIsLeftWhileItEntersIsRemoved(t *testing.T) {
	t.Parallel()
	storm(t, 80, func(b *datatest.Bench, in tokens.Admitted, browser string, i int) {
		code, _, err := b.Invitations.OfferMove(t.Context(), in, browser)
		wants(t, "offering", err, nil)
		_, err = b.Invitations.TakeMove(t.Context(), code, fmt.Sprintf("OTHERBR%019d", i))
		wants(t, "going on", err, nil)
	})
}

// earlyMove does something when the row was read, and before it is written.
type earlyMove struct {
	tokens.Store
	before func()
}

func (e *earlyMove) TakeMove(ctx context.Context, code, browser, nonce string, at int64, ev audit.Event) (tokens.Admission, error) {
	e.before()
	return e.Store.TakeMove(ctx, code, browser, nonce, at, ev)
}

// earlyEnd is the same of an ending.
type earlyEnd struct {
	tokens.Presence
	before func()
}

func (e *earlyEnd) End(ctx context.Context, a tokens.Admission, at int64, ev audit.Event) (tokens.Admission, error) {
	e.before()
	return e.Presence.End(ctx, a, at, ev)
}

// A link that leaves between looking and ending is known to the ending.
func TestALinkThatLeavesJustBeforeIsKnown(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, b *datatest.Bench, in tokens.Admitted, enter func()) error{
		"removed": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted, enter func()) error {
			b.Lobby.Store = &earlyEnd{b.Lobby.Store, enter}
			return b.Lobby.Remove(ctx, ada(), in.Invitation.Room, in.Admission.ID)
		},
		"moved": func(ctx context.Context, b *datatest.Bench, in tokens.Admitted, enter func()) error {
			code, _, err := b.Invitations.OfferMove(ctx, in, browser)
			if err != nil {
				return err
			}
			b.Invitations.Store = &earlyMove{b.Invitations.Store, enter}
			_, err = b.Invitations.TakeMove(ctx, code, hostsBrowser)
			return err
		},
	} {
		for _, again := range []bool{false, true} {
			b := datatest.SQLite(t)
			s := liveKit(t, b, time.Millisecond)
			room := makeRoom(t, b, rooms.Draft{Backend: "live"})
			in := redeem(t, b, press(b, mint(t, b, room, tokens.Draft{}), browser))
			enter := func() {
				out, err := b.Invitations.Reenter(t.Context(), room.Slug, browser, false, true)
				must(t, err)
				s.Enter(t, out.JoinLink)
			}
			if again {
				enter()
				b.Clock.Add(time.Second)
			}
			must(t, end(t.Context(), b, in, enter))
			b.Removals.Wait()
			if len(s.Inside()) != 0 || told(t, b, room) != "removed" {
				t.Errorf("%s, entered before %v: inside are %v; the history says %q", name, again, s.Inside(), told(t, b, room))
			}
		}
	}
}

// twoConferences are a LiveKit that is well, as "live", and one that makes rooms
// and answers nothing else until the test ends, as "dead".
func twoConferences(t *testing.T, b *datatest.Bench, pauses ...time.Duration) *datatest.LiveKit {
	t.Helper()
	quit := make(chan struct{})
	t.Cleanup(func() { b.Removals.Drain() }) // once the one that hangs is gone
	dead := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "CreateRoom") {
			body := make([]byte, 300)
			n, _ := r.Body.Read(body)
			_, _ = w.Write(body[:n])
			return
		}
		select {
		case <-quit:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(quit); dead.Close() })
	s := datatest.NewLiveKit(t)
	backends, err := conference.Parse("[" + s.Backend("live") + "," + strings.ReplaceAll(s.Backend("dead"), strings.TrimPrefix(s.URL, "http"), strings.TrimPrefix(dead.URL, "http")) + "]")
	must(t, err)
	backends.Now, backends.Secret = b.Clock.Now, b.Ring.CodeMAC
	b.Removals = tokens.NewRemovals(b.Invitations.Store, b.Lobby.Store, b.Invitations.Rooms, backends, b.Clock.Now, pauses...)
	b.Rooms.Backends, b.Rooms.Closed = backends.Has, b.Removals.Closed
	b.Invitations.Handover, b.Invitations.Removals = backends, b.Removals
	b.Lobby.Handover, b.Lobby.Removals = backends, b.Removals
	return s
}

// until waits for what happens in the background, less than a hanging conference takes.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); {
		if time.Since(began) > conference.Timeout-time.Second {
			t.Fatalf("not soon: %s", what)
		}
	}
}

// A conference that hangs keeps nobody in another, and no page waiting for it.
func TestAConferenceThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := twoConferences(t, b, time.Hour)
	bad, good := makeRoom(t, b, rooms.Draft{Backend: "dead"}), makeRoom(t, b, rooms.Draft{Backend: "live"})
	var left []tokens.Invitation
	for i := range 20 {
		inv, browser := mint(t, b, bad, tokens.Draft{}), fmt.Sprintf("BROWSER%019d", i)
		redeem(t, b, press(b, inv, browser))
		_, err := b.Invitations.Reenter(t.Context(), bad.Slug, browser, false, true)
		must(t, err)
		left = append(left, inv)
	}
	victim := inside(t, b, s, mint(t, b, good, tokens.Draft{}), browser)
	stays := inside(t, b, s, mint(t, b, good, tokens.Draft{}), hostsBrowser)
	for _, inv := range append(left, victim.Invitation) {
		_, err := b.Invitations.Revoke(t.Context(), ada(), inv, "")
		must(t, err)
	}
	until(t, "the other conference removes", func() bool { return len(s.Inside()) == 1 && told(t, b, good) == "removed" })
	for range 20 {
		r := makeRoom(t, b, rooms.Draft{Backend: "dead"})
		go func() { _, _, _ = b.Lobby.Inside(context.Background(), r) }()
	}
	until(t, "the other conference tells who is inside", func() bool {
		list, knows, err := b.Lobby.Inside(t.Context(), good)
		must(t, err)
		return knows && len(list) == 1 && list[0].Admission == stays.Admission.ID
	})
}
