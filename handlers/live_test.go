package handlers_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// stream is an open event stream; events come without their wrapping, "end" last.
type stream struct {
	t      *testing.T
	head   http.Header
	events chan string
	close  context.CancelFunc
}

func (v *visitor) stream(path string) *stream {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.b.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	s := &stream{v.t, resp.Header, make(chan string, 100), cancel}
	if resp.StatusCode != http.StatusOK {
		v.t.Fatalf("%s → %d", path, resp.StatusCode)
	}
	go func() {
		defer resp.Body.Close()
		defer func() { s.events <- "end" }()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				s.events <- event
			}
		}
	}()
	v.t.Cleanup(cancel)
	s.next("changed") // for what happened while the page was on its way
	return s
}

func (s *stream) next(want string) {
	s.t.Helper()
	if got := <-s.events; got != want {
		s.t.Fatalf("the stream says %q, want %q", got, want)
	}
}

// until reads on until the event, past others that changes of others bring.
func (s *stream) until(want string) {
	s.t.Helper()
	for event := range s.events {
		if event == want {
			return
		}
		if event == "end" {
			s.t.Fatalf("the stream ended before %q", want)
		}
	}
}

// lobby is a room with somebody admitted to it.
func lobby(t *testing.T, b *bench, name string) (*visitor, rooms.Room, tokens.Invitation) {
	t.Helper()
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: name, MaxUses: 9})
	guest := b.browser(t)
	guest.press(t, b.short(inv)).wants(http.StatusSeeOther)
	return guest, room, inv
}

const admitted, live = "/join/standup/admitted", "/join/standup/live"

func TestWhoIsInTheRoomShowsToGuestsAndHost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, inv := lobby(t, b, "Ada <3")
	bob := b.signedIn(t, "bob")
	page := bob.stream("/rooms/standup/live")
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if page.head.Get(name) != want {
			t.Errorf("%s is %q", name, page.head.Get(name))
		}
	}
	all := bob.stream("/live")
	bob.get("/rooms/standup").wants(http.StatusOK).says("Nobody is here.")
	here := ada.stream(live)
	page.until("changed")
	all.until("changed")
	ada.get(admitted).wants(http.StatusOK).says("Ada &lt;3", "(you)").saysNot("Remove")
	bob.get("/rooms/standup").wants(http.StatusOK).says("Ada &lt;3", "Remove").saysNot("Nobody is here.")

	grace := b.browser(t)
	grace.press(t, b.short(inv), "name", "Grace").wants(http.StatusSeeOther)
	second := grace.stream(live)
	here.until("changed")
	grace.get(admitted).wants(http.StatusOK).says("Grace", "(you)", "Ada &lt;3")
	second.close()
	second.until("end")
	b.until(t, "Grace left", func() bool { return !strings.Contains(bob.get("/rooms/standup").body, ">Grace<") })
	ada.get(admitted).wants(http.StatusOK).saysNot("Grace")
}

// until asks again until it is so; what it waits for is on its way.
func (b *bench) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for !so() {
		if t.Context().Err() != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestOnePersonWithSeveralPagesLeavesWithTheLast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, _ := lobby(t, b, "Ada")
	bob := b.signedIn(t, "bob")
	one, two := ada.stream(live), ada.stream(live)
	one.close()
	one.until("end")
	bob.get("/rooms/standup").wants(http.StatusOK).saysNot("Nobody is here.")
	two.close()
	two.until("end")
	b.until(t, "Ada left", func() bool { return strings.Contains(bob.get("/rooms/standup").body, "Nobody is here.") })
	for range 8 {
		ada.stream(live)
	}
	ada.get(live, header("Accept", "text/event-stream")).wants(http.StatusTooManyRequests)
}

func TestARemovedGuestsPageStopsAtOnceAndUndoLetsThemBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, room, inv := lobby(t, b, "Ada")
	here := ada.stream(live)
	bob := b.signedIn(t, "bob")
	form := bob.get("/rooms/standup").wants(http.StatusOK).form("/rooms/standup/remove")
	b.signedIn(t, "carol").post("/rooms/standup/remove", form).wants(http.StatusNotFound)
	b.Clock.Add(1e9)
	bob.post("/rooms/standup/remove", form).wants(http.StatusSeeOther)
	here.until("over")
	here.next("end")
	ada.get(admitted).wants(http.StatusGone)
	ada.get(live, header("Accept", "text/event-stream")).wants(http.StatusGone)
	ada.get(b.short(inv)).wants(http.StatusGone)
	ada.do(http.MethodPost, admitted, "", header("Content-Type", "application/x-www-form-urlencoded")).wants(http.StatusGone)

	undo := bob.get("/rooms/standup").wants(http.StatusOK).says("Removed").form("/rooms/standup/readmit")
	b.Clock.Add(1e9)
	bob.post("/rooms/standup/readmit", undo).wants(http.StatusSeeOther)
	ada.get(admitted).wants(http.StatusOK)
	b.Clock.Add(1e9)
	bob.post("/rooms/standup/remove", form).wants(http.StatusSeeOther)
	b.Clock.Add(61e9)
	if to := bob.post("/rooms/standup/readmit", undo).wants(http.StatusSeeOther).Header.Get("Location"); !strings.Contains(to, "toolate") {
		t.Errorf("undone after a minute: %s", to)
	}
	ada.get(admitted).wants(http.StatusGone)
	for _, wrong := range []string{"", "adm_", shown(inv.ID)} {
		bob.post("/rooms/standup/remove", fields("admission", wrong)).wants(http.StatusUnprocessableEntity)
	}
	elsewhere := rooms.ID(1 << 40).Show(rooms.AdmissionPrefix)
	bob.post("/rooms/standup/remove", fields("admission", elsewhere)).wants(http.StatusNotFound)
	history, err := b.Rooms.Store.Events(t.Context(), room.ID, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	for _, ev := range history {
		kinds = fmt.Sprint(ev.Kind, " ", ev.Actor.Name, "\n") + kinds
	}
	if want := "room.entered Ada\nadmission.ended bob\nadmission.restored bob\nadmission.ended bob\n"; !strings.Contains(kinds, want) {
		t.Errorf("history:\n%s", kinds)
	}
}

func TestStreamsEndWithWhatTheyStandOn(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(b *bench, room rooms.Room, inv tokens.Invitation) error{
		"revoked": func(b *bench, _ rooms.Room, inv tokens.Invitation) error {
			_, err := b.Invitations.Revoke(t.Context(), rooms.Caller{}, inv, "")
			return err
		},
		"reissued": func(b *bench, _ rooms.Room, inv tokens.Invitation) error {
			_, err := b.Invitations.Reissue(t.Context(), rooms.Caller{}, inv, false, true)
			return err
		},
		"closed": func(b *bench, room rooms.Room, _ tokens.Invitation) error {
			_, err := b.Rooms.SetClosed(t.Context(), rooms.Caller{}, room, true)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada, room, inv := lobby(t, b, "Ada")
			here := ada.stream(live)
			if err := end(b, room, b.invitation(t, inv.ID)); err != nil {
				t.Fatal(err)
			}
			here.until("over")
			here.next("end")
			ada.get(admitted).wants(http.StatusGone)
		})
	}
}

func TestStreamsAreBoundedAndEndWithTheServer(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	b := setup(t, func(b *bench) { b.app.Stop, b.Watcher.Most = stop, 2 })
	ada, _, _ := lobby(t, b, "Ada")
	bob := b.signedIn(t, "bob")
	one, two := ada.stream(live), bob.stream("/rooms/standup/live")
	full := bob.get("/rooms/standup/live", header("Accept", "text/event-stream")).wants(http.StatusTooManyRequests)
	if full.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(stop)
	one.until("end")
	two.until("end")
}

func TestLiveAddressesLeadReadersToThePage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, _ := lobby(t, b, "Ada")
	bob := b.signedIn(t, "bob")
	for who, paths := range map[*visitor][2]string{ada: {live, admitted}, bob: {"/rooms/standup/live", "/rooms/standup"}} {
		if to := who.get(paths[0]).wants(http.StatusSeeOther).Header.Get("Location"); to != paths[1] {
			t.Errorf("%s leads to %s", paths[0], to)
		}
	}
	bob.get("/rooms/standup").says("Nobody is here.")
	ada.get(live + "?poll").wants(http.StatusSeeOther)
	bob.get("/rooms/standup").saysNot("Nobody is here.") // who cannot hold a stream is there by asking
	b.Clock.Add(26e9)
	bob.get("/rooms/standup").says("Nobody is here.")
	b.browser(t).get(live, header("Accept", "text/event-stream")).wants(http.StatusNotFound)
	b.nobody(t).get("/live", header("Accept", "text/event-stream")).wants(http.StatusSeeOther)
	b.signedIn(t, "carol").get("/rooms/standup/live", header("Accept", "text/event-stream")).wants(http.StatusNotFound)
}

// TestOnlyOurOwnPageIsBeingThere: what is fetched ahead, or by another site, marks nobody as present.
func TestOnlyOurOwnPageIsBeingThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, _ := lobby(t, b, "Ada")
	bob := b.signedIn(t, "bob")
	for _, path := range []string{live, live + "?poll"} {
		for _, accept := range []string{"text/html", "text/event-stream"} {
			for name, value := range map[string]string{"Sec-Purpose": "prefetch", "Purpose": "prefetch", "Sec-Fetch-Site": "cross-site"} {
				ada.get(path, header(name, value), header("Accept", accept)).wants(http.StatusSeeOther)
			}
			ada.do(http.MethodHead, path, "", header("Accept", accept)).wants(http.StatusSeeOther)
		}
	}
	bob.get("/rooms/standup").wants(http.StatusOK).says("Nobody is here.")
}

func TestOneHostHoldsSoManyStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup")
	bob, carol := b.signedIn(t, "bob"), b.signedIn(t, "carol")
	first := bob.stream("/rooms/standup/live")
	for range 15 {
		bob.stream("/live")
	}
	for _, path := range []string{"/live", "/rooms/standup/live"} {
		bob.get(path, header("Accept", "text/event-stream")).wants(http.StatusTooManyRequests)
	}
	carol.stream("/live")
	first.close()
	b.until(t, "a place is free", func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/live", nil)
		req.Header.Set("Accept", "text/event-stream")
		resp, err := bob.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// TestAHostsStreamEndsWithWhatItStandsOn: it does not outlive being signed in, nor the right to the room.
func TestAHostsStreamEndsWithWhatItStandsOn(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(b *bench, bob *visitor, room rooms.Room){
		"signed out": func(_ *bench, bob *visitor, _ rooms.Room) { bob.post("/signout", nil).wants(http.StatusSeeOther) },
		"handed over": func(b *bench, _ *visitor, room rooms.Room) {
			if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE rooms SET owner = 'carol' WHERE id = $1", int64(room.ID)); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada, room, inv := lobby(t, b, "Ada")
			bob := b.signedIn(t, "bob")
			page := bob.stream("/rooms/standup/live")
			end(b, bob, room)
			if _, err := b.Invitations.Revoke(t.Context(), rooms.Caller{}, b.invitation(t, inv.ID), ""); err != nil {
				t.Fatal(err)
			}
			ada.get(admitted).wants(http.StatusGone)
			page.next("over")
			page.next("end")
		})
	}
}

func TestUndoSaysThatTheRoomIsFull(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "small", func(d *rooms.Draft) { d.Capacity = 1 })
	_, inv := b.admitted(t, room, tokens.Draft{})
	bob, program := b.signedIn(t, "bob"), b.program(t, "bob")
	at := "/invitations/" + shown(inv.ID)
	bob.post(at+"/revoke", nil).wants(http.StatusSeeOther)
	revoked := b.invitation(t, inv.ID).RevokedAt
	b.admitted(t, room, tokens.Draft{})
	program.post("/api/v1"+at+"/restore", nil).wants(http.StatusConflict).says("room_full")
	for path, form := range map[string]url.Values{at + "/restore": nil, "/rooms/small/restore": fields("at", fmt.Sprint(revoked))} {
		to := bob.post(path, form).wants(http.StatusSeeOther).Header.Get("Location")
		bob.get(to).wants(http.StatusOK).says("The room is full")
	}
	if b.invitation(t, inv.ID).RevokedAt == 0 {
		t.Error("it was restored")
	}
}

func TestTheListOfRoomsIsWokenByTheHostsOwnRoomsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, _ := lobby(t, b, "Ada")
	others := b.room(t, "carol", "carols")
	bob, carol := b.signedIn(t, "bob").stream("/live"), b.signedIn(t, "carol").stream("/live")
	for range 3 {
		b.mint(t, others, tokens.Draft{Role: tokens.Guest})
		b.Clock.Add(1e6)
		carol.until("changed")
	}
	if n := len(bob.events); n != 0 {
		t.Errorf("bob is woken %d times by what happens in carol's room", n)
	}
	here := b.signedIn(t, "bob")
	here.get("/").wants(http.StatusOK).saysNot("here now")
	ada.stream(live)
	bob.until("changed")
	here.get("/").wants(http.StatusOK).says("<b>1</b> here now")
}
