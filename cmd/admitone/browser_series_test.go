package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A host makes a series of a first room, moves and closes the rest of it, and
// copies one with its people.
func TestBrowserSeries(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server, look.Timezone = s.URL, "Europe/Berlin"
		repeated(t, s, look, name)
	})
}

func repeated(t *testing.T, s *server, look browserOptions, name string) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().In(berlin).AddDate(0, 0, 7)
	week := func(n, hour int) time.Time {
		return time.Date(soon.Year(), soon.Month(), soon.Day()+7*n, hour, 0, 0, 0, berlin)
	}
	typed := func(n, hour int) string { return week(n, hour).Format("2006-01-02T15:04") }
	slug := func(n int) string { return "stand-up-" + week(n, 0).Format(time.DateOnly) }
	host := newBrowser(t, look)
	host.signIn()
	host.Click("details.more summary")
	host.Fill("#room-name", "Stand-up")
	host.Fill("#room-starts", typed(0, 14))
	host.Fill("#room-ends", typed(0, 15))
	host.Fill("#room-repeat", "weekly")
	host.Fill("#room-times", "3")
	host.seen(name + "-series-form")
	host.Follow("form[action='/rooms'] button[type=submit]")
	if to := host.URL(); to != "/rooms/"+slug(0)+"?did=series&n=3" {
		t.Fatalf("made at %s: %s", to, host.Text("main"))
	}
	host.Click("main > details.more summary")
	host.seen(name + "-series-room")
	s.mint(t, slug(0), members{"name": "Ada", "email": "ada@guests.example"})

	host.Open("/rooms/" + slug(1) + "/edit")
	host.Fill("#room-starts", typed(1, 10))
	host.Fill("#room-ends", typed(1, 11))
	host.Click("input[name=rest][value=true] + span")
	host.seen(name + "-series-edit")
	host.Follow("main form[action='/rooms/" + slug(1) + "'] button.main")
	is := func(n int, member, want string) {
		t.Helper()
		if got := s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+slug(n), nil).Get(member); got != want {
			t.Errorf("%s: %s is %s, want %s", slug(n), member, got, want)
		}
	}
	is(1, "starts_at", week(1, 10).UTC().Format(time.RFC3339))
	is(2, "starts_at", week(2, 10).UTC().Format(time.RFC3339))

	host.Click("main details.menu summary")
	host.seen(name + "-series-menu")
	host.Follow("form[action$='/close-rest'] button")
	is(2, "state", "closed")
	host.seen(name + "-series-closed")
	host.Follow(".notice form button")
	is(2, "state", "upcoming")
	host.Open("/")
	host.seen(name + "-series-rooms")

	host.Open("/rooms/" + slug(0) + "/copy")
	host.Click("input[name=invite]")
	host.seen(name + "-series-copy")
	host.Follow("form[action='/rooms'] button.main")
	if got := host.Text("#invitation-rows"); !strings.Contains(got, "Ada") {
		t.Errorf("who is invited to the copy: %s", got)
	}
}

// A host hands an invitation on as text and as a calendar file; the guest, too
// early, puts it into the calendar, and sees the same offer once in.
func TestBrowserSendsAndSavesInvitations(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		handedOn(t, s, look, name)
	})
}

func handedOn(t *testing.T, s *server, look browserOptions, name string) {
	t.Helper()
	room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "会议 Jour fixe", "starts_at": "2030-10-16T14:00:00+02:00", "ends_at": "2030-10-16T15:00:00+02:00", "timezone": "Europe/Berlin"}).Get("slug")
	inv := s.mint(t, room, members{"name": "Ada", "locale": "de", "expires_at": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)})
	for _, noScript := range []bool{true, false} {
		look.NoScript = noScript
		host := newBrowser(t, look)
		host.signIn()
		host.Open("/invitations/" + inv.ID)
		host.Click("aside details.more summary")
		text, err := eval[string](host, `document.querySelector("#send-text").value`)
		if err != nil || !strings.Contains(text, "16. Okt. 2030, 14:00 Uhr – 15:00 Uhr CEST (Europe/Berlin)") || !strings.Contains(text, inv.Short) {
			t.Errorf("the text is %q, %v", text, err)
		}
		if noScript {
			continue
		}
		if got := host.Attribute("aside a[href^='mailto:']", "href"); !strings.Contains(got, "subject=Einladung%20zu%20%E4%BC%9A%E8%AE%AE%20Jour%20fixe") {
			t.Errorf("the mail begins as %s", got)
		}
		host.Click("[data-copy='#send-text']")
		until(t, "the text to be copied", func() bool { return host.Text("[data-copy='#send-text'] [data-label]") == "Copied" })
		host.seen(name + "-send")
	}
	guest := newBrowser(t, look)
	guest.Open(inv.Short)
	guest.seen(name + "-calendar-early")
	to := guest.Attribute("main a[href$='/invite.ics']", "href")
	a, err := s.send(request(t, http.MethodGet, s.URL+to))
	if err != nil || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/calendar") || !strings.Contains(string(a.Body), "DTSTART:20301016T120000Z") {
		t.Errorf("%s answers %v, %v", to, a, err)
	}
	now := time.Now().UTC()
	s.call(t, http.StatusOK, http.MethodPatch, "/rooms/"+room, members{"starts_at": now.Add(-time.Minute).Format(time.RFC3339), "ends_at": now.Add(time.Hour).Format(time.RFC3339), "move_invitations": false})
	guest.Open(inv.Short)
	guest.seen(name + "-calendar-open")
	guest.Follow("main form button[type=submit]")
	if guest.Count("main a[href='"+to+"']") != 1 {
		t.Errorf("who is in is offered no calendar file: %s", guest.Text("main"))
	}
	guest.seen(name + "-calendar-in")
}
