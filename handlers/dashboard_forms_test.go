package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// TestAWrongFormKeepsWhatWasTyped: 422, the error beside its field, and every
// value as it was typed.
func TestAWrongFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "taken")
	bob, carol := b.signedIn(t, "bob"), b.signedIn(t, "carol")
	room := fields("name", "Night <shift>", "slug", "night", "starts_at", "2030-02-01T09:00", "ends_at", "2030-02-01T10:00", "timezone", "Europe/Berlin", "backend", "conf")
	mint := fields("role", "host", "name", "Ada \"<b>\"", "expires", "custom", "expires_at", "2030-02-01T09:00", "timezone", "Asia/Shanghai", "max_uses", "3")
	for _, tt := range []struct {
		name, path   string
		who          *visitor
		form         url.Values
		field, value string
		says         string
	}{
		{"no name", "/rooms", bob, room, "name", "  ", "must not be empty"},
		{"NUL in the name", "/rooms", bob, room, "name", "a\x00b", "must be valid UTF-8"},
		{"a taken address", "/rooms", bob, room, "slug", "taken", "This address is taken"},
		{"an address that cannot be one", "/rooms", bob, room, "slug", "No Slug", "1 to 64 of a-z"},
		{"an address that is barred", "/rooms", carol, room, "slug", "night", "may not create a room with this address"},
		{"a time that is none", "/rooms", bob, room, "starts_at", "tomorrow", "Write a date and time"},
		{"the end before the start", "/rooms", bob, room, "ends_at", "2030-02-01T08:00", "must be after"},
		{"a zone that is none", "/rooms", bob, room, "timezone", "Mars", "not a time zone"},
		{"a back end that is none", "/rooms", bob, room, "backend", "nowhere", "no back end of this name"},
		{"a role that is none", "/rooms/taken/invitations", bob, mint, "role", "admin", "&#34;host&#34; or &#34;guest&#34;"},
		{"no uses", "/rooms/taken/invitations", bob, mint, "max_uses", "0", "A number from 1 to 1000"},
		{"too many uses", "/rooms/taken/invitations", bob, mint, "max_uses", "1001", "A number from 1 to 1000"},
		{"no time", "/rooms/taken/invitations", bob, mint, "expires_at", "", "Say until when"},
		{"a past time", "/rooms/taken/invitations", bob, mint, "expires_at", "2030-01-15T00:00", "in the past"},
		{"an unknown preset", "/rooms/taken/invitations", bob, mint, "expires", "3600", "Choose how long"},
		{"a long name", "/rooms/taken/invitations", bob, mint, "name", strings.Repeat("x", 201), "is too long"},
		{"an edit without a name", "/rooms/taken", bob, room, "name", "", "must not be empty"},
	} {
		form := url.Values{}
		for name, values := range tt.form {
			form[name] = values
		}
		form.Set(tt.field, tt.value)
		a := tt.who.post(tt.path, form).wants(http.StatusUnprocessableEntity).says(tt.says).saysNot("<shift>", `"<b>"`)
		shown := a.form(tt.path)
		for name := range shown {
			if want, sent := form[name]; sent && name != tt.field && shown.Get(name) != want[0] {
				t.Errorf("%s: the form shows %s = %q, typed was %q", tt.name, name, shown.Get(name), want[0])
			}
		}
	}
}

// TestTimesAreReadInTheFormsZone is F35, clock changes included: a time that
// the clocks jump over is the instant after the jump, one they show twice the first.
func TestTimesAreReadInTheFormsZone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	for i, tt := range []struct{ zone, typed, want string }{
		{"UTC", "2030-02-01T09:00", "2030-02-01T09:00:00Z"},
		{"", "2030-02-01T09:00", "2030-02-01T09:00:00Z"},
		{"Europe/Berlin", "2030-02-01T09:00", "2030-02-01T08:00:00Z"},
		{"Europe/Berlin", "2030-07-01T09:00", "2030-07-01T07:00:00Z"},
		{"Europe/Berlin", "2030-03-31T01:59", "2030-03-31T00:59:00Z"},
		{"Europe/Berlin", "2030-03-31T02:30", "2030-03-31T01:30:00Z"}, // in the gap
		{"Europe/Berlin", "2030-03-31T03:00", "2030-03-31T01:00:00Z"},
		{"Europe/Berlin", "2030-10-27T02:30", "2030-10-27T00:30:00Z"}, // twice: the first
		{"America/St_Johns", "2030-02-01T09:00", "2030-02-01T12:30:00Z"},
		{"Asia/Shanghai", "2030-02-01T00:15", "2030-01-31T16:15:00Z"},
		{"Pacific/Kiritimati", "2030-02-01T09:00:30", "2030-01-31T19:00:30Z"},
	} {
		slug := fmt.Sprint("zone-", i)
		bob.post("/rooms", fields("name", slug, "slug", slug, "starts_at", tt.typed, "timezone", tt.zone)).wants(http.StatusSeeOther)
		if got := b.program(t, "bob").get(v1 + "/rooms/" + slug).object()["starts_at"]; got != tt.want {
			t.Errorf("%s in %q is %v, want %s", tt.typed, tt.zone, got, tt.want)
		}
	}
}

// TestALongListIsTurnedAndSearched: 120 invitations by the page's own links.
func TestALongListIsTurnedAndSearched(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	for i := range 120 {
		inv := b.mint(t, room, tokens.Draft{Name: fmt.Sprintf("Guest %03d", i)})
		if i%40 == 0 {
			if _, err := b.Invitations.Revoke(t.Context(), b.caller(t, "bob"), inv, ""); err != nil {
				t.Fatal(err)
			}
		}
		b.Clock.Add(1e6)
	}
	bob := b.signedIn(t, "bob")
	walk := func(at string) (seen []string) {
		t.Helper()
		for range 5 {
			page := bob.get(at).wants(http.StatusOK)
			for _, to := range page.links("/invitations/inv_") {
				if !strings.Contains(strings.TrimPrefix(to, "/invitations/"), "/") {
					seen = append(seen, to)
				}
			}
			next := page.links("/rooms/standup?cursor=")
			if len(next) == 0 {
				return seen
			}
			if strings.Contains(at, "q=") && !strings.Contains(next[0], "q=") || strings.Contains(at, "state=") && !strings.Contains(next[0], "state=") ||
				strings.Contains(at, "sort=") && !strings.Contains(next[0], "sort=") {
				t.Errorf("the next page of %s forgets the filter: %s", at, next[0])
			}
			at = next[0]
		}
		return seen
	}
	for at, want := range map[string]int{
		"/rooms/standup": 120, "/rooms/standup?state=revoked": 3, "/rooms/standup?state=pending": 117,
		"/rooms/standup?q=guest+00": 10, "/rooms/standup?q=GUEST&state=pending": 117, "/rooms/standup?q=nobody": 0, "/rooms/standup?q=%25": 0,
		"/rooms/standup?sort=oldest": 120, "/rooms/standup?sort=name&state=pending": 117, "/rooms/standup?q=guest+00&sort=name": 10,
	} {
		seen := walk(at)
		unique := map[string]bool{}
		for _, s := range seen {
			unique[s] = true
		}
		if len(seen) != want || len(unique) != want {
			t.Errorf("%s shows %d, %d of them once, want %d", at, len(seen), len(unique), want)
		}
	}
	bob.get("/rooms/standup?state=nonsense").wants(http.StatusOK).says("Guest 119")
	for _, at := range []string{"/rooms/standup?cursor=inv_1", "/rooms/standup?cursor=AQ", "/rooms/standup?sort=name&cursor=" + tokens.Invitation{ID: 1}.Position(tokens.Oldest).Cursor(), "/?before=room_1"} {
		bob.get(at).wants(http.StatusNotFound)
	}
}

func TestManyRoomsAreTurned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 60 {
		b.room(t, "bob", fmt.Sprintf("room-%02d", i), func(d *rooms.Draft) { d.Name = fmt.Sprintf("Number %02d", i) })
		b.Clock.Add(1e6)
	}
	bob := b.signedIn(t, "bob")
	first := bob.get("/").wants(http.StatusOK).says("Number 59", "Number 10").saysNot("Number 09")
	next := first.links("/?before=")
	if len(next) != 1 {
		t.Fatalf("%d links to a next page", len(next))
	}
	bob.get(next[0]).wants(http.StatusOK).says("Number 09", "Number 00").saysNot("Number 10")
	b.signedIn(t, "carol").get("/").wants(http.StatusOK).saysNot("Number")
}
