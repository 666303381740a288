package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

const (
	wasAsked    = "Your host has been asked for a new link."
	wasAnswered = "Your host has made a new link."
)

// refused is an invitation that somebody else used, and its short path.
func (b *bench) refused(t *testing.T, room rooms.Room) (tokens.Invitation, string) {
	t.Helper()
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther)
	return inv, b.short(inv)
}

// ask asks for a new link on the page of a refusal.
func (v *visitor) ask(path string, status int, pairs ...string) answer {
	v.t.Helper()
	bare, query, _ := strings.Cut(path, "?")
	at := bare + "/request"
	if query != "" {
		at += "?" + query
	}
	form := v.get(path).wants(status).form(at)
	got := v.post(at, with(form, pairs...)).wants(http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != path {
		v.t.Errorf("asking led to %s, not back to %s", to, path)
	}
	return v.get(path).wants(status)
}

func TestEveryGenuineRefusalAsksForANewLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.program(t, "bob")
	for name, tt := range map[string]struct {
		status int
		path   func(room rooms.Room) string
	}{
		"used": {409, func(room rooms.Room) string { _, path := b.refused(t, room); return path }},
		"used, by the long link": {409, func(room rooms.Room) string {
			inv, _ := b.refused(t, room)
			return b.long(t, inv)
		}},
		"revoked": {410, func(room rooms.Room) string {
			inv := b.mint(t, room, tokens.Draft{})
			bob.post("/api/v1/invitations/"+shown(inv.ID)+"/revoke", nil).wants(http.StatusOK)
			return b.short(inv)
		}},
		"expired": {410, func(room rooms.Room) string {
			inv := b.mint(t, room, tokens.Draft{ExpiresIn: time.Minute})
			b.Clock.Add(time.Minute)
			return b.short(inv)
		}},
		"superseded": {410, func(room rooms.Room) string {
			inv := b.mint(t, room, tokens.Draft{})
			bob.post("/api/v1/invitations/"+shown(inv.ID)+"/reissue", nil).wants(http.StatusCreated)
			return b.short(inv)
		}},
		"room_closed": {410, func(room rooms.Room) string {
			inv := b.mint(t, room, tokens.Draft{})
			bob.do("DELETE", "/api/v1/rooms/"+room.Slug, "").wants(http.StatusNoContent)
			return b.short(inv)
		}},
		"wrong_room": {403, func(room rooms.Room) string {
			inv := b.mint(t, room, tokens.Draft{})
			other := b.room(t, "bob", room.Slug+"-other")
			return strings.Replace(b.long(t, inv), "/join/"+room.Slug, "/join/"+other.Slug, 1)
		}},
	} {
		room := b.room(t, "bob", strings.NewReplacer(" ", "-", ",", "", "_", "-").Replace(name))
		path := tt.path(room)
		v := b.from(t, "127.0.3."+fmt.Sprint(len(name)))
		v.client.Jar = b.browser(t).client.Jar
		v.ask(path, tt.status, "name", "Bo").says(wasAsked).saysNot("/request")
		v.get(path).wants(tt.status).says(wasAsked)
		if list, err := b.Invitations.Store.OpenRequests(t.Context(), room.ID, 9); err != nil || len(list) != 1 || list[0].Name != "Bo" {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
}

func TestOthersAreNotAskedForANewLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	early := b.mint(t, room, tokens.Draft{NotBefore: b.Clock.Millis() + time.Minute.Milliseconds()})
	open := b.mint(t, room, tokens.Draft{})
	v := b.browser(t)
	v.get(b.short(early)).wants(http.StatusForbidden).saysNot("/request")
	v.get("/i/" + strings.Repeat("0", 26)).wants(http.StatusNotFound).saysNot("/request")
	nonce := v.get(b.short(open)).wants(http.StatusOK).form(b.short(open)).Get("nonce")
	v.post(b.short(open)+"/request", fields("nonce", nonce)).wants(http.StatusSeeOther) // nothing was refused
	_, path := b.refused(t, room)
	good := v.get(path).wants(http.StatusConflict).form(path + "/request").Get("nonce")
	b.nobody(t).post(path+"/request", fields("nonce", good)).wants(http.StatusForbidden)
	v.post(path+"/request", nil).wants(http.StatusForbidden)
	v.post(path+"/request", fields("nonce", nonce)).wants(http.StatusForbidden)
	v.post(path+"/request", fields("nonce", good), header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden).says(`href="` + path + `"`)
	v.post(path+"/request", fields("nonce", good, "name", strings.Repeat("x", 201))).wants(http.StatusUnprocessableEntity).says("This is too long.")
	if list, err := b.Invitations.Store.OpenRequests(t.Context(), room.ID, 9); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAskingIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv, path := b.refused(t, room)
	for n := range 7 {
		v := b.from(t, fmt.Sprintf("127.0.4.%d", n+1))
		v.client.Jar = b.browser(t).client.Jar
		page := v.get(path).wants(http.StatusConflict)
		if n >= tokens.MaxRequests {
			page.says(wasAsked).saysNot("/request") // by others, often enough
			continue
		}
		v.ask(path, http.StatusConflict).says(wasAsked)
	}
	if n := events(t, b, inv, "invitation.requested"); n != tokens.MaxRequests {
		t.Errorf("%d requests in the history, want %d", n, tokens.MaxRequests)
	}
	// One address, many invitations.
	v := b.from(t, "127.0.5.1")
	v.client.Jar = b.browser(t).client.Jar
	for n := range 6 {
		_, path := b.refused(t, room)
		if n < 5 {
			v.ask(path, http.StatusConflict)
			continue
		}
		form := v.get(path).wants(http.StatusConflict).form(path + "/request")
		if late := v.post(path+"/request", form).wants(http.StatusTooManyRequests); late.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		b.Clock.Add(time.Minute)
		v.ask(path, http.StatusConflict)
	}
}

// TestAHostAnswersARequest walks the host's side: the list, the new link, and
// that the one who asked is told of it and never shown it.
func TestAHostAnswersARequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv, path := b.refused(t, room)
	guest, other, bob := b.browser(t), b.browser(t), b.signedIn(t, "bob")
	bob.get("/").wants(http.StatusOK).saysNot("for a new link")
	guest.ask(path, http.StatusConflict, "name", "Bo")
	other.ask(path, http.StatusConflict)
	bob.get("/").wants(http.StatusOK).says("2 ask for a new link")
	list, err := b.Invitations.Store.OpenRequests(t.Context(), room.ID, 9)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	ofOther, ofGuest := "/requests/"+list[0].ID.Show(rooms.RequestPrefix), "/requests/"+list[1].ID.Show(rooms.RequestPrefix)
	page := bob.get("/rooms/standup").wants(http.StatusOK).says("Bo", "Somebody", "it was used", shown(inv.ID))

	at := bob.post(ofOther+"/dismiss", page.form(ofOther+"/dismiss")).wants(http.StatusSeeOther).Header.Get("Location")
	undo := bob.get(at).wants(http.StatusOK).says("The request is dismissed.").saysNot("Somebody").form(ofOther + "/recall")
	other.get(path).wants(http.StatusConflict).says(wasAsked)
	at = bob.post(ofOther+"/recall", undo).wants(http.StatusSeeOther).Header.Get("Location")
	page = bob.get(at).wants(http.StatusOK).says("Somebody")

	at = bob.post(ofGuest+"/answer", page.form(ofGuest+"/answer")).wants(http.StatusSeeOther).Header.Get("Location")
	fresh := bob.get(at).wants(http.StatusOK).says("New link for Bo. Send it to them.", b.base+"/i/", "/qr.svg")
	if again := bob.post(ofGuest+"/answer", nil).wants(http.StatusSeeOther).Header.Get("Location"); again != at {
		t.Errorf("a second press led to %s, not %s", again, at)
	}
	bob.get("/rooms/standup").wants(http.StatusOK).saysNot("Asking for a new link")
	next := b.invitation(t, b.invitation(t, inv.ID).SupersededBy)
	for _, v := range []*visitor{guest, other} {
		v.get(path).wants(http.StatusGone).says(wasAnswered).saysNot(b.short(next), shown(next.ID))
	}
	fresh.says(b.short(next))
	guest.press(t, b.short(next)).wants(http.StatusSeeOther)
	bob.get("/invitations/"+shown(inv.ID)).wants(http.StatusOK).says("Asked for a new link", "Dismissed the request", "Took the dismissal back", "Made a new link")
}

func TestADismissalIsForADayAndUndoneForAMinute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	_, path := b.refused(t, room)
	guest, bob := b.browser(t), b.signedIn(t, "bob")
	guest.ask(path, http.StatusConflict)
	list, err := b.Invitations.Store.OpenRequests(t.Context(), room.ID, 9)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	at := "/requests/" + list[0].ID.Show(rooms.RequestPrefix)
	bob.post(at+"/dismiss", nil).wants(http.StatusSeeOther)
	bob.post(at+"/dismiss", nil).wants(http.StatusSeeOther)
	bob.post(at+"/answer", nil).wants(http.StatusConflict)
	b.Clock.Add(tokens.UndoWindow)
	late := bob.post(at+"/recall", nil).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(late).wants(http.StatusOK).says("too late")
	b.Clock.Add(tokens.AskAgain - tokens.UndoWindow - time.Second)
	guest.get(path).says(wasAsked)
	b.Clock.Add(time.Second)
	guest.ask(path, http.StatusConflict)
}
