package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// TestAnotherHostsThingsAreNotFoundOnEveryRoute is F37: what belongs to
// somebody else looks like what does not exist, and stays as it is.
func TestAnotherHostsThingsAreNotFoundOnEveryRoute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tt := range []struct{ name, owner, stranger string }{
		{"a room of bob, asked for by carol", "bob", "carol"},
		{"a room of carol, asked for by bob", "carol", "bob"},
		{"a room of an admin, asked for by bob", "alice", "bob"},
	} {
		room := b.room(t, tt.owner, map[string]string{"bob": "bobs", "carol": "carols", "alice": "alices"}[tt.owner])
		inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
		program, browser := b.program(t, tt.stranger), b.signedIn(t, tt.stranger)
		before := b.state(t, room)
		asked := 0
		for _, at := range []string{room.Slug, room.ID.Show(rooms.RoomPrefix)} {
			for _, r := range b.routes(t, at, inv) {
				if !r.owned() {
					continue
				}
				asked++
				foreign, nowhere := ask(r, r.path, program, browser), ask(r, absent(r), program, browser)
				if foreign.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %s (as %s) → %d, want 404:\n%.300s", tt.name, r.name(), at, foreign.StatusCode, foreign.body)
				}
				if got, want := foreign.anonymous(), nowhere.anonymous(); got != want {
					t.Errorf("%s: %s differs from what does not exist:\n%s\n%s", tt.name, r.name(), got, want)
				}
			}
		}
		if after := b.state(t, room); after != before {
			t.Errorf("%s: refused calls changed something:\n%s\n%s", tt.name, before, after)
		}
		if asked < 40 {
			t.Errorf("%s: only %d calls", tt.name, asked)
		}
	}
}

// TestTheOwnerIsFoundOnEveryRoute is the control of the test above: the same
// addresses, asked for by their owner, are there.
func TestTheOwnerIsFoundOnEveryRoute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	program, browser := b.program(t, "bob"), b.signedIn(t, "bob")
	room := b.room(t, "bob", "bobs")
	for _, r := range b.routes(t, room.Slug, b.mint(t, room, tokens.Draft{})) {
		if got := ask(r, r.path, program, browser); r.owned() && (got.StatusCode == http.StatusNotFound || got.StatusCode == http.StatusMethodNotAllowed) {
			t.Errorf("%s → %d", r.name(), got.StatusCode)
		}
	}
}

// ask calls the route at that path as its callers do.
func ask(r route, path string, program, browser *visitor) answer {
	switch {
	case r.api() && r.unsafe():
		return program.do(r.method, path, `{}`, header("Content-Type", "application/json"))
	case r.api():
		return program.do(r.method, path, "")
	case r.unsafe():
		return browser.post(path, fields("role", "guest", "name", "x"))
	}
	return browser.do(r.method, path, "")
}

// absent is the route's path with ids that name nothing.
func absent(r route) string {
	return strings.NewReplacer(":room", rooms.ID(1<<40).Show(rooms.RoomPrefix), ":id", rooms.ID(1<<40).Show(rooms.InvitationPrefix)).Replace(r.pattern)
}

// anonymous is the body without the id of its request.
func (a answer) anonymous() string {
	return strings.ReplaceAll(a.body, a.Header.Get("X-Request-Id"), "")
}

func TestAllowedRoomsAreManagedTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shared := b.room(t, "bob", "shared")
	inv := b.mint(t, shared, tokens.Draft{})
	carol, bob := b.program(t, "carol"), b.program(t, "bob")
	carol.get("/api/v1/rooms/shared").wants(http.StatusOK)
	carol.get("/api/v1/invitations/" + shown(inv.ID)).wants(http.StatusOK)
	carol.get("/api/v1/rooms").wants(http.StatusOK).says(`"shared"`)
	bob.get("/api/v1/rooms").wants(http.StatusOK).says(`"shared"`)
	b.room(t, "carol", "carols")
	bob.get("/api/v1/rooms").wants(http.StatusOK).saysNot("carols")
	b.program(t, "alice").get("/api/v1/rooms").wants(http.StatusOK).says(`"shared"`, `"carols"`)
}
