package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/tokens"
)

// at makes a room whose meeting is held there.
func at(backend string) func(*rooms.Draft) { return func(d *rooms.Draft) { d.Backend = backend } }

// liveKit is for setup: a LiveKit of the test's own, as the back end "live".
func liveKit(t *testing.T, s *datatest.LiveKit) func(*bench) {
	return func(b *bench) {
		backends, err := conference.Parse("[" + s.Backend("live") + "]")
		if err != nil {
			t.Fatal(err)
		}
		backends.Now, backends.Secret = b.Clock.Now, b.Ring.CodeMAC
		b.app.Backends, b.Rooms.Backends, b.Invitations.Handover, b.Lobby.Handover = backends, backends.Has, backends, backends
		removals := tokens.NewRemovals(b.Invitations.Store, b.Lobby.Store, data.NewRooms(b.DB, b.IDs), backends, b.Clock.Now, time.Millisecond)
		b.Removals, b.Invitations.Removals, b.Lobby.Removals, b.Rooms.Closed = removals, removals, removals, removals.Closed
		t.Cleanup(removals.Drain)
	}
}

func TestGuestsWaitForAHostOnAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", at("held"))
	inv := b.mint(t, room, tokens.Draft{})
	guest := b.browser(t)
	for _, path := range []string{b.short(inv), b.long(t, inv)} {
		before := b.state(t, room)
		page := guest.get(path).wants(http.StatusForbidden).says("Waiting for your host", `data-wait="`, `data-again="`).saysNot("<form")
		if page.Header.Get("Cache-Control") != "no-store" {
			t.Error("the waiting page is kept")
		}
		if after := b.state(t, room); after != before {
			t.Errorf("waiting changed something:\n%s\n%s", before, after)
		}
	}
	gate := validating(b.program(t, "bob"))
	inspected := gate.json("POST", "/api/v1/invitations/inspect", map[string]any{"token": b.base + b.short(inv)})
	inspected.wants(http.StatusOK).says(`"redeemable":false`, `"reason":"waiting_for_host"`)
	redeem(gate, b.short(inv), "a-nonce-of-the-gate").refuses(http.StatusForbidden, "waiting_for_host")

	waits := guest.stream(b.short(inv) + "/wait")
	host := b.signedIn(t, "bob")
	host.get("/rooms/standup").wants(http.StatusOK).says(`action="/rooms/standup/enter"`)
	to := host.post("/rooms/standup/enter", nil).wants(http.StatusSeeOther).Header.Get("Location")
	if to != "/join/standup/admitted?as=host" {
		t.Fatalf("the host is led to %s", to)
	}
	host.post("/rooms/standup/enter", nil).wants(http.StatusSeeOther) // again is the same
	guest.get(b.short(inv)).wants(http.StatusForbidden)               // the host has not entered
	host.get(to).wants(http.StatusOK).says("Enter ").saysNot("Rejoin ")
	link := host.do("POST", to, "").wants(http.StatusSeeOther)
	if !strings.HasPrefix(link.Header.Get("Location"), "https://held.example/join?room=standup-") || link.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("entering led to %s", link.Header.Get("Location"))
	}
	waits.until("over")
	host.get(to).wants(http.StatusOK).says("Rejoin ")
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Role: tokens.Host, Limit: 9, Now: b.Clock.Millis()})
	if err != nil || len(list) != 1 || list[0].Name != "bob" {
		t.Errorf("the host's invitations: %+v, %v", list, err)
	}

	guest.press(t, b.short(inv)).wants(http.StatusSeeOther)
	first := guest.do("POST", "/join/standup/admitted", "").wants(http.StatusSeeOther).Header.Get("Location")
	again := guest.do("POST", "/join/standup/admitted", "").wants(http.StatusSeeOther).Header.Get("Location")
	if first == again || !strings.HasPrefix(again, "https://held.example/") {
		t.Error("the join link was not made anew")
	}
	if csp := guest.get("/join/standup/admitted").Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://held.example;") {
		t.Errorf("the policy of the page is %s", csp)
	}
	host.get("/rooms/standup").wants(http.StatusOK).says("Entered", "Host, entered at", "Guest, entered at")

	// The host is gone, and guests who are admitted wait as well.
	if _, err := b.Invitations.Revoke(t.Context(), b.caller(t, "bob"), list[0], ""); err != nil {
		t.Fatal(err)
	}
	guest.get("/join/standup/admitted").wants(http.StatusForbidden).says("Waiting for your host", `data-wait="/join/standup/wait"`)
	guest.do("POST", "/join/standup/admitted", "").wants(http.StatusForbidden)
	guest.get(b.short(inv)).wants(http.StatusForbidden)
	guest.stream("/join/standup/wait")
	guest.get("/join/standup/wait").wants(http.StatusSeeOther)
	b.browser(t).get("/join/standup/wait").wants(http.StatusNotFound)
	host.get("/invitations/" + shown(list[0].ID)).wants(http.StatusOK).says("stay until they leave")
}

// A stream of a page that has nothing to wait for any more ends at once.
func TestAWaitThatIsOverEndsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	b.browser(t).stream(b.short(inv) + "/wait").next("over")
}

func TestAConferenceThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	live := datatest.NewLiveKit(t)
	b := setup(t, liveKit(t, live))
	room := b.room(t, "bob", "standup", at("live"))
	inv := b.mint(t, room, tokens.Draft{})
	guest := b.browser(t)
	form := guest.get(b.short(inv)).wants(http.StatusOK).form(b.short(inv))
	live.Down(true)
	before := b.state(t, room)
	if a := guest.post(b.short(inv), form).wants(http.StatusServiceUnavailable); a.Header.Get("Retry-After") != "5" {
		t.Errorf("try again after %q", a.Header.Get("Retry-After"))
	}
	b.signedIn(t, "bob").post("/rooms/standup/enter", nil).wants(http.StatusServiceUnavailable)
	if after := b.state(t, room); after != before {
		t.Errorf("a press in vain changed something:\n%s\n%s", before, after)
	}
	live.Down(false)
	guest.post(b.short(inv), form).wants(http.StatusSeeOther)
	live.Down(true)
	a := guest.do("POST", "/join/standup/admitted", "").wants(http.StatusServiceUnavailable)
	a.says("Try again", `action="/join/standup/admitted"`, `data-again="/join/standup/admitted?ready="`, `data-retry="5"`)
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+live.URL+";") {
		t.Errorf("the policy of the page is %s", csp)
	}
	guest.get("/join/standup/admitted?ready=").wants(http.StatusServiceUnavailable)
	guest.get("/join/standup/admitted").wants(http.StatusOK) // the page needs no conference
	if n := events(t, b, inv, "conference.entered"); n != 0 {
		t.Errorf("%d entries are in the history", n)
	}
	live.Down(false)
	asked, _ := live.Count()
	for began := time.Now(); guest.get("/join/standup/admitted?ready=").StatusCode != http.StatusOK; {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the page waits on for a conference that answers")
		}
	}
	for range 50 {
		guest.get("/join/standup/admitted?ready=").wants(http.StatusOK).says("Enter ")
	}
	guest.do("HEAD", "/join/standup/admitted?ready=", "").wants(http.StatusOK)
	guest.get("/join/standup/admitted?ready=", func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") }).wants(http.StatusOK)
	if again, _ := live.Count(); again > asked+5 || live.Rooms() != 1 {
		t.Errorf("looking made it %d questions and %d rooms", again-asked, live.Rooms())
	}
	link := guest.do("POST", "/join/standup/admitted?ready=", "").wants(http.StatusSeeOther).Header.Get("Location")
	live.Enter(t, link)

	// Who is inside is what the conference says, and who is removed goes.
	host := b.signedIn(t, "bob")
	page := host.get("/rooms/standup").wants(http.StatusOK).says("In the room now").saysNot("entered at")
	host.post("/rooms/standup/remove", page.form("/rooms/standup/remove")).wants(http.StatusSeeOther)
	b.Removals.Wait()
	if in := live.Inside(); len(in) != 0 {
		t.Errorf("inside are %v", in)
	}
	host.get("/rooms/standup/history").wants(http.StatusOK).says("was removed from the conference")
	guest.do("POST", "/join/standup/admitted", "").wants(http.StatusGone)
}

// A back end that is configured no more is said, and can be replaced.
func TestARoomWhoseConferenceIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", at("conf"))
	if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE rooms SET backend = 'old' WHERE id = $1", int64(room.ID)); err != nil {
		t.Fatal(err)
	}
	host := b.signedIn(t, "bob")
	host.get("/rooms/standup").wants(http.StatusOK).says("is no longer set up here", "<bdi>old</bdi>")
	page := host.get("/rooms/standup/edit").wants(http.StatusOK).says(`<option value="old" selected>`, "(no longer there)", "MiroTalk)")
	form := page.form("/rooms/standup")
	host.post("/rooms/standup", form).wants(http.StatusUnprocessableEntity).says(`id="room-backend-wrong"`)
	host.post("/rooms/standup", with(form, "backend", "held")).wants(http.StatusSeeOther)
	host.get("/rooms/standup").wants(http.StatusOK).saysNot("is no longer set up here")
}
