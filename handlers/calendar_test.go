package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// dated is a room of an hour from now on, for an hour.
func (b *bench) dated(t *testing.T, slug string, change ...func(*rooms.Draft)) rooms.Room {
	t.Helper()
	return b.room(t, "bob", slug, append([]func(*rooms.Draft){func(d *rooms.Draft) {
		d.Name, d.Timezone = "Stand-up, "+slug, "Europe/Berlin"
		d.StartsAt, d.EndsAt = b.Clock.Millis()+time.Hour.Milliseconds(), b.Clock.Millis()+2*time.Hour.Milliseconds()
	}}, change...)...)
}

// ics is a calendar file with its folded lines joined.
func (a answer) ics(method string) answer {
	a.t.Helper()
	a.wants(http.StatusOK)
	if got := a.Header.Get("Content-Type"); got != "text/calendar; charset=utf-8; method="+method {
		a.t.Errorf("%s: %s", a.Request.URL, got)
	}
	if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Header.Get("Content-Disposition"), `filename="invite.ics"`) {
		a.t.Errorf("%s: %v", a.Request.URL, a.Header)
	}
	a.body = strings.ReplaceAll(a.body, "\r\n ", "")
	return a
}

func TestProgramsGetCalendarFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.app.MailFrom = "meet@example.com" })
	p := b.program(t, "bob")
	inv := b.mint(t, b.dated(t, "standup", func(d *rooms.Draft) { d.Locale = "fr" }), tokens.Draft{Name: "Ada", Email: "ada@guests.example", Locale: "de-AT"})
	at := v1 + "/invitations/" + shown(inv.ID)
	link := b.Invitations.Links.Short(inv)
	p.get(at+"/invite.ics").ics("REQUEST").says("SUMMARY:Stand-up\\, standup\r\n", "DTSTART:20300115T130000Z\r\n", "DTEND:20300115T140000Z\r\n", "SEQUENCE:0\r\n",
		"ORGANIZER;CN=\"bob\":mailto:meet@example.com\r\n", "CN=\"Ada\":mailto:ada@guests.example\r\n", "URL:"+link+"\r\n", "LOCATION:"+link+"\r\n", "bob lädt Sie zu", link)
	p.do("PATCH", v1+"/rooms/standup", `{"starts_at":"2030-01-16T14:00:00+01:00","ends_at":"2030-01-16T15:00:00+01:00"}`, header("Content-Type", "application/json")).wants(http.StatusOK)
	p.get(at+"/invite.ics").ics("REQUEST").says("DTSTART:20300116T130000Z\r\n", "SEQUENCE:1\r\n")
	p.do("POST", at+"/revoke", "").wants(http.StatusOK)
	p.get(at+"/invite.ics").ics("CANCEL").says("SEQUENCE:2\r\n", "STATUS:CANCELLED\r\n", "gilt nicht mehr")
	p.do("POST", at+"/restore", "").wants(http.StatusOK)
	p.do("POST", at+"/reissue", "").wants(http.StatusCreated)
	p.get(at + "/invite.ics").wants(http.StatusGone).says(`"code":"superseded"`)

	undated := b.mint(t, b.room(t, "bob", "always"), tokens.Draft{})
	p.get(v1+"/invitations/"+shown(undated.ID)+"/invite.ics").wants(http.StatusNotFound).says(`"code":"not_found"`, "no beginning")
}

// Who may read an invitation but not mint its role sees no link in its file either.
func TestCalendarFilesHoldTheLinkForThoseWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.dated(t, "standup")
	guest, host := b.mint(t, r, tokens.Draft{}), b.mint(t, r, tokens.Draft{Role: tokens.Host})
	for _, row := range []struct {
		scopes      []oauth.Scope
		guest, host bool
	}{
		{[]oauth.Scope{"invitations:read"}, false, false},
		{[]oauth.Scope{"invitations:read", "invitations:write"}, true, false},
		{[]oauth.Scope{"invitations:read", "invitations:write", "invitations:host"}, true, true},
	} {
		p := b.key(t, "bob", row.scopes...)
		for inv, sees := range map[tokens.Invitation]bool{guest: row.guest, host: row.host} {
			a := p.get(v1 + "/invitations/" + shown(inv.ID) + "/invite.ics").ics("REQUEST")
			if got := strings.Contains(a.body, "/i/"); got != sees {
				t.Errorf("%v, %s: a link is %v in\n%s", row.scopes, inv.Role, got, a.body)
			}
		}
	}
	b.key(t, "bob", "rooms:read").get(v1 + "/invitations/" + shown(guest.ID) + "/invite.ics").wants(http.StatusForbidden)
}

func TestGuestsSaveTheirCalendarFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.dated(t, "standup"), tokens.Draft{Name: "Ada"})
	long := strings.Replace(b.long(t, inv), "/join/standup?", "/join/standup/invite.ics?", 1)
	g := b.browser(t)
	for _, path := range []string{b.short(inv) + "/invite.ics", strings.ToUpper(b.short(inv)) + "/invite.ics", long} {
		a := g.get(path, header("Accept-Language", "es")).ics("PUBLISH").says("DTSTART:20300115T130000Z", b.Invitations.Links.Short(inv), "Abra su enlace").saysNot("ATTENDEE", "ORGANIZER", "/join/")
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Content-Language": "es"} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
	if n := events(t, b, inv, "invitation.opened"); n != 0 || b.invitation(t, inv.ID).Uses != 0 {
		t.Errorf("saving the file opened %d times", n)
	}
	g.get(b.short(inv)).wants(http.StatusForbidden).says(b.short(inv) + "/invite.ics") // the page that waits offers it
	b.Clock.Add(90 * time.Minute)
	g.get(b.short(inv)).wants(http.StatusOK).says(b.short(inv) + "/invite.ics")
	g.get(b.long(t, inv)).wants(http.StatusOK).says(b.short(inv) + "/invite.ics")
	g.press(t, b.short(inv)).wants(http.StatusSeeOther)
	g.get("/join/standup/admitted").wants(http.StatusOK).says(b.short(inv) + "/invite.ics")
	g.get(b.short(inv) + "/invite.ics").ics("PUBLISH")
	b.nobody(t).get(b.short(inv) + "/invite.ics").ics("PUBLISH") // telephones fetch it without the browser's cookies

	b.program(t, "bob").do("POST", v1+"/invitations/"+shown(inv.ID)+"/revoke", "").wants(http.StatusOK)
	g.get(b.short(inv) + "/invite.ics").wants(http.StatusGone)
	g.get("/i/" + strings.Repeat("0", 26) + "/invite.ics").wants(http.StatusNotFound)

	undated := b.mint(t, b.room(t, "bob", "always"), tokens.Draft{})
	g.get(b.short(undated)).wants(http.StatusOK).saysNot("invite.ics")
	a := g.get(b.short(undated) + "/invite.ics").wants(http.StatusSeeOther)
	if a.Header.Get("Location") != b.short(undated) {
		t.Errorf("led to %q", a.Header.Get("Location"))
	}
	g.press(t, b.short(undated)).wants(http.StatusSeeOther)
	g.get("/join/always/admitted").wants(http.StatusOK).saysNot("invite.ics")
}

func TestHostsSaveCalendarFilesOfTheirGuests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	inv := b.mint(t, b.dated(t, "standup"), tokens.Draft{})
	at := "/invitations/" + shown(inv.ID)
	h.get(at).wants(http.StatusOK).says(at + "/invite.ics")
	h.get(at+"/invite.ics").ics("PUBLISH").says(b.Invitations.Links.Short(inv), "press the button")
	undated := b.mint(t, b.room(t, "bob", "always"), tokens.Draft{})
	h.get("/invitations/" + shown(undated.ID)).wants(http.StatusOK).saysNot("invite.ics")
	h.get("/invitations/" + shown(undated.ID) + "/invite.ics").wants(http.StatusNotFound)
}
