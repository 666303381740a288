package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestAHostsWayWithoutJavaScript walks the dashboard by its forms and links alone.
func TestAHostsWayWithoutJavaScript(t *testing.T) {
	t.Parallel()
	b := setup(t, plain)
	bob := b.browser(t)
	bob.head = http.Header{} // a browser that says nothing of where it comes from, over plain http

	at := bob.get("/").wants(http.StatusSeeOther).Header.Get("Location")
	signIn := bob.get(at).wants(http.StatusOK).form("/signin")
	bob.post("/signin", with(signIn, "username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther)

	empty := bob.get("/").wants(http.StatusOK).form("/rooms") // the empty state leads on
	if empty.Get("name") == "" {
		t.Error("the first room has no name to begin with")
	}
	at = bob.post("/rooms", with(empty, "name", "Weekly stand-up", "slug", "weekly")).wants(http.StatusSeeOther).Header.Get("Location")
	if at != "/rooms/weekly" {
		t.Fatalf("creating led to %s", at)
	}
	mint := bob.get(at).wants(http.StatusOK).says("Weekly stand-up").form("/rooms/weekly/invitations")
	if mint.Get("role") != "guest" || mint.Get("max_uses") != "1" {
		t.Errorf("an invitation begins as %v", mint)
	}
	at = bob.post("/rooms/weekly/invitations", with(mint, "name", "Ada Lovelace", "expires", "1d")).wants(http.StatusSeeOther).Header.Get("Location")
	path, did, _ := strings.Cut(at, "?")
	page := bob.get(at).wants(http.StatusOK).says("Ada Lovelace", "The invitation is ready", b.base+"/i/", "/join/weekly?token=")
	if did != "did=minted" {
		t.Errorf("minting led to %s", at)
	}
	for _, picture := range []string{path + "/qr.png", path + "/qr.svg"} {
		if !slices.Contains(page.links(path), picture) {
			t.Errorf("no link to %s", picture)
		}
		bob.get(picture).wants(http.StatusOK)
	}
	id := strings.TrimPrefix(path, "/invitations/")

	at = bob.post(path+"/revoke", page.form(path+"/revoke")).wants(http.StatusSeeOther).Header.Get("Location")
	revoked := bob.get(at).wants(http.StatusOK).says("revoked")
	at = bob.post(path+"/restore", revoked.form(path+"/restore")).wants(http.StatusSeeOther).Header.Get("Location")
	restored := bob.get(at).wants(http.StatusOK).says("pending", "Restored", "Revoked", "Made")
	at = bob.post(path+"/reissue", restored.form(path+"/reissue")).wants(http.StatusSeeOther).Header.Get("Location")
	if strings.HasPrefix(at, path) || !strings.HasSuffix(at, "?did=reissued") {
		t.Errorf("reissuing led to %s", at)
	}
	bob.get(at).wants(http.StatusOK).says("This is the new link")
	bob.get(path).wants(http.StatusOK).says("superseded", strings.TrimSuffix(at, "?did=reissued"))

	room := bob.get("/rooms/weekly").wants(http.StatusOK).says("row-" + id)
	at = bob.post("/rooms/weekly/close", room.form("/rooms/weekly/close")).wants(http.StatusSeeOther).Header.Get("Location")
	closed := bob.get(at).wants(http.StatusOK).says("The room is closed")
	bob.post("/rooms/weekly/invitations", mint).wants(http.StatusUnprocessableEntity)
	at = bob.post("/rooms/weekly/reopen", closed.form("/rooms/weekly/reopen")).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(at).wants(http.StatusOK).says("The room is open again")

	edit := bob.get("/rooms/weekly/edit").wants(http.StatusOK).form("/rooms/weekly")
	at = bob.post("/rooms/weekly", with(edit, "name", "Monthly", "starts_at", "2030-02-01T09:00", "ends_at", "2030-02-01T10:00", "timezone", "Europe/Berlin")).
		wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(at).wants(http.StatusOK).says("Monthly", "2030-02-01T08:00:00Z")
	again := bob.get("/rooms/weekly/edit").wants(http.StatusOK).form("/rooms/weekly")
	if again.Get("starts_at") != "2030-02-01T09:00" || again.Get("timezone") != "Europe/Berlin" || again.Get("name") != "Monthly" {
		t.Errorf("the form shows %v", again)
	}
	bob.get("/").wants(http.StatusOK).says("Monthly", "/rooms/weekly").form("/signout")
	bob.post("/signout", nil).wants(http.StatusSeeOther)
	bob.get("/").wants(http.StatusSeeOther)
}

// TestAnUntouchedEditChangesNothing: the form shows no seconds, no zone where
// none was given, one of two hours when clocks are set back, and not all members.
func TestAnUntouchedEditChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, r := b.signedIn(t, "bob"), validating(b.program(t, "bob"))
	for _, body := range []string{
		`{"name": "Night shift", "slug": "gap", "starts_at": "2030-03-31T01:30:00+01:00", "ends_at": "2030-03-31T03:30:00+02:00", "timezone": "Europe/Berlin", "backend": "conf", "locale": "de", "external_id": "x-1"}`,
		`{"name": "Twice", "slug": "first", "starts_at": "2030-10-27T02:30:00+02:00", "timezone": "Europe/Berlin"}`,
		`{"name": "Twice", "slug": "second", "starts_at": "2030-10-27T02:30:00+01:00", "timezone": "Europe/Berlin"}`,
		`{"name": "Seconds", "slug": "seconds", "starts_at": "2030-02-01T09:00:30.5Z", "ends_at": "2030-02-01T10:00:59Z"}`,
		`{"name": "No time", "slug": "always", "backend": "conf"}`,
	} {
		slug := r.post(roomsAt, body).wants(http.StatusCreated).object()["slug"].(string)
		room, err := b.Rooms.Find(t.Context(), b.caller(t, "bob"), slug)
		if err != nil {
			t.Fatal(err)
		}
		b.mint(t, room, tokens.Draft{Name: "Ada"})
		before := b.state(t, room)
		bob.post("/rooms/"+slug, bob.get("/rooms/"+slug+"/edit").wants(http.StatusOK).form("/rooms/"+slug)).wants(http.StatusSeeOther)
		if after := b.state(t, room); after != before {
			t.Errorf("saving what was shown changed %s:\n%s\n%s", slug, before, after)
		}
	}
}
