package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

// weekly makes a series of three rooms by the dashboard's form.
func (v *visitor) weekly(t *testing.T) {
	t.Helper()
	a := v.post("/rooms", fields("name", "Stand-up", "starts_at", "2030-10-16T14:00", "ends_at", "2030-10-16T15:00", "timezone", "Europe/Berlin", "repeat", "weekly", "times", "3")).wants(http.StatusSeeOther)
	if to := a.Header.Get("Location"); to != "/rooms/stand-up-2030-10-16?did=series&n=3" {
		t.Fatalf("led to %s", to)
	}
}

func TestHostsMakeSeries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	h.weekly(t)
	h.get("/rooms/stand-up-2030-10-16?did=series&n=3").says("3 rooms were made", "Every week · 1 of 3", "/rooms/stand-up-2030-10-23", "/rooms/stand-up-2030-10-30", "/rooms/stand-up-2030-10-16/close-rest", "the 2 after it")
	h.get("/").says("Every week · 1 of 3", "Every week · 3 of 3")
	h.get("/rooms/stand-up-2030-10-30").says("Every week · 3 of 3").saysNot("close-rest")
	for _, row := range [][2]string{{"times", "1"}, {"times", "lots"}, {"repeat", "hourly"}, {"starts_at", ""}} {
		form := fields("name", "Refused", "starts_at", "2030-10-16T14:00", "timezone", "UTC", "repeat", "weekly", "times", "3")
		form.Set(row[0], row[1])
		h.post("/rooms", form).wants(http.StatusUnprocessableEntity).says("aria-invalid")
	}
	h.get("/").saysNot("Refused")
}

func TestHostsMoveTheRestOfASeries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	h.weekly(t)
	move := fields("name", "Stand-up", "starts_at", "2030-10-23T10:00", "ends_at", "2030-10-23T11:00", "timezone", "Europe/Berlin", "rest", "true")
	h.get("/rooms/stand-up-2030-10-23/edit").says("This room and the one after it")
	h.post("/rooms/stand-up-2030-10-23", move).wants(http.StatusSeeOther)
	starts := func(want ...string) {
		t.Helper()
		p := b.program(t, "bob")
		for i, slug := range []string{"16", "23", "30"} {
			p.get(v1 + "/rooms/stand-up-2030-10-" + slug).says(`"starts_at":"2030-10-` + want[i] + `:00Z"`)
		}
	}
	starts("16T12:00", "23T08:00", "30T09:00")
	move.Set("starts_at", "2030-10-23T12:00")
	move.Set("ends_at", "2030-10-23T13:00")
	move.Set("rest", "false")
	h.post("/rooms/stand-up-2030-10-23", move).wants(http.StatusSeeOther)
	starts("16T12:00", "23T10:00", "30T09:00")
}

func TestHostsCloseTheRestOfASeriesAndUndoIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	h.weekly(t)
	to := h.post("/rooms/stand-up-2030-10-23/close-rest", nil).wants(http.StatusSeeOther).Header.Get("Location")
	page := h.get(to).says("2 rooms were closed", "/reopen-rest?at=")
	p := b.program(t, "bob")
	states := func(want ...string) {
		t.Helper()
		for i, slug := range []string{"16", "23", "30"} {
			p.get(v1 + "/rooms/stand-up-2030-10-" + slug).says(`"state":"` + want[i] + `"`)
		}
	}
	states("upcoming", "closed", "closed")
	_, undo, _ := strings.Cut(page.body, "/reopen-rest?at=")
	undo, _, _ = strings.Cut(undo, `"`)
	b.signedIn(t, "carol").post("/rooms/stand-up-2030-10-23/reopen-rest?at="+undo, nil).wants(http.StatusNotFound)
	to = h.post("/rooms/stand-up-2030-10-23/reopen-rest?at="+undo, nil).wants(http.StatusSeeOther).Header.Get("Location")
	h.get(to).says("2 rooms are open again")
	states("upcoming", "upcoming", "upcoming")
	to = h.post("/rooms/stand-up-2030-10-23/reopen-rest?at="+undo, nil).wants(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasSuffix(to, "?did=toolate") {
		t.Errorf("undone twice: %s", to)
	}
}

func TestHostsCopyRooms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	from := b.dated(t, "standup", func(d *rooms.Draft) { d.Capacity, d.Backend, d.Locale = 7, "conf", "de" })
	b.mint(t, from, tokens.Draft{Name: "Ada", Email: "ada@guests.example", PIN: "4711"})
	b.mint(t, from, tokens.Draft{Name: "Grace", Role: tokens.Host})
	b.Clock.Add(30 * 24 * time.Hour)
	page := h.get("/rooms/standup/copy").wants(http.StatusOK).says(`value="Stand-up, standup"`, `value="2030-02-19T14:00"`, `value="2030-02-19T15:00"`, `value="Europe/Berlin"`, `value="7"`, "Invite the same guest again")
	form := page.form("/rooms")
	if form.Get("invite") != "" || form.Get("from") != "standup" || form.Get("slug") != "" {
		t.Errorf("the form begins as %v", form)
	}
	to := h.post("/rooms", with(form, "slug", "alone")).wants(http.StatusSeeOther).Header.Get("Location")
	p := b.program(t, "bob")
	p.get(v1+to).says(`"capacity":7`, `"backend":"conf"`, `"locale":"de"`, `"timezone":"Europe/Berlin"`, `"starts_at":"2030-02-19T13:00:00Z"`)
	p.get(v1 + to + "/invitations").says(`"items":[]`)

	to = h.post("/rooms", with(form, "slug", "again", "repeat", "fortnightly", "times", "2", "invite", "true")).wants(http.StatusSeeOther).Header.Get("Location")
	if to != "/rooms/again-2030-02-19?did=series&n=2" {
		t.Fatalf("led to %s", to)
	}
	for _, slug := range []string{"again-2030-02-19", "again-2030-03-05"} {
		p.get(v1+"/rooms/"+slug+"/invitations").says(`"name":"Ada"`, `"email":"ada@guests.example"`, `"has_pin":false`).saysNot("Grace")
	}
	h.post("/rooms", with(form, "slug", "past", "starts_at", "2020-01-01T10:00", "ends_at", "2020-01-01T11:00", "invite", "true")).wants(http.StatusUnprocessableEntity).says("The room has ended", "Invite the same guest again")
	p.get(v1 + "/rooms/past").wants(http.StatusNotFound)
	b.signedIn(t, "carol").get("/rooms/standup/copy").wants(http.StatusNotFound)
	b.signedIn(t, "carol").post("/rooms", with(form, "slug", "carols")).wants(http.StatusNotFound)
}

func TestHostsSendInvitationsAsText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.signedIn(t, "bob")
	inv := b.mint(t, b.dated(t, "standup"), tokens.Draft{Name: "Ada", Email: "ada@guests.example", Locale: "fr"})
	at := "/invitations/" + shown(inv.ID)
	h.get(at).wants(http.StatusOK).says(`lang="fr"`, "bob vous invite à Stand-up, standup.", "15 janv. 2030 à 14:00 – 15:00 CET (Europe/Berlin)", "</textarea>", b.Invitations.Links.Short(inv),
		`href="mailto:ada@guests.example?subject=Invitation%20%C3%A0%20Stand-up%2C%20standup&amp;body=bob%20vous`, `href="`+at+`/invite.ics"`)
	b.program(t, "bob").do("POST", v1+at+"/revoke", "").wants(http.StatusOK)
	h.get(at).saysNot("</textarea>", "mailto:")
	minted := h.post("/rooms/standup/invitations", fields("role", "guest", "name", "Bo", "expires", "room", "max_uses", "1"), header("HX-Request", "true")).wants(http.StatusOK)
	minted.says("bob invites you to Stand-up, standup.", `href="mailto:?subject=`, "/invite.ics")
}
