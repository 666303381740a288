package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/tokens"
)

// Whoever comes by GET to an address that takes only a form, as on reloading the
// page that answered it, is led to the page that the form stands on. Programs
// are told that there is no such method.
func TestAFormsAddressLeadsToItsPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{})
	bob, nobody := b.signedIn(t, "bob"), b.nobody(t)
	gets := map[string]bool{}
	all := b.routes(t, room.Slug, inv)
	for _, r := range all {
		gets[r.pattern] = gets[r.pattern] || r.method == http.MethodGet
	}
	to := map[string]string{}
	for _, r := range all {
		switch {
		case r.method != http.MethodPost:
		case r.api(), r.oauth():
			if a := nobody.get(r.path); a.StatusCode < http.StatusBadRequest {
				t.Errorf("GET %s, which is for programs, answers %d", r.path, a.StatusCode)
			}
		case !gets[r.pattern]:
			page := bob.get(r.path)
			to[r.pattern] = page.Header.Get("Location")
			for hops := 0; page.StatusCode == http.StatusSeeOther && hops < 3; hops++ {
				page = bob.get(page.Header.Get("Location"))
			}
			if page.StatusCode == http.StatusMethodNotAllowed || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
				t.Errorf("GET %s leads to %q, which answers %d %s", r.path, to[r.pattern], page.StatusCode, page.Header.Get("Content-Type"))
			}
		}
	}
	code := b.Invitations.Links.Code(inv.ID)
	for pattern, want := range map[string]string{
		"/i/:code/request":              "/i/" + code,
		"/I/:code/request":              "/I/" + code,
		"/join/:room/request":           "/join/standup",
		"/signout":                      "/",
		"/rooms":                        "/",
		"/rooms/:room/invitations":      "/rooms/standup",
		"/rooms/:room/revoke":           "/rooms/standup",
		"/invitations/:id/reissue":      "/invitations/" + shown(inv.ID),
		"/account/sessions/end":         "/account",
		"/account/sessions/:signin/end": "/account",
	} {
		if to[pattern] != want {
			t.Errorf("GET %s leads to %q, want %q", pattern, to[pattern], want)
		}
	}
	asked := "/requests/" + b.request(t, inv)
	for from, want := range map[string]string{asked + "/answer": asked, asked: "/rooms/standup", "/join/standup/request?token=a&lang=en": "/join/standup?token=a&lang=en"} {
		if got := bob.get(from).wants(http.StatusSeeOther).Header.Get("Location"); got != want {
			t.Errorf("GET %s leads to %q, want %q", from, got, want)
		}
	}
}
