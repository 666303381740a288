package tokens_test

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// appointment is what a calendar keeps of a file.
type appointment struct {
	method, uid, status, summary, description, location, url, organizer, attendee string
	sequence                                                                      int
	start, end                                                                    time.Time
}

// calendar is the invitation's file, which must be well formed, as a calendar reads it.
func calendar(t *testing.T, b *datatest.Bench, inv tokens.Invitation, a tokens.Appointment) appointment {
	t.Helper()
	if a.Describe == nil {
		a.Describe = func(link string) string { return "Open " + link + "\nto come in." }
	}
	f, err := b.Invitations.Links.Calendar(inv, a, b.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(f.Content), "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(f.Content))
	if err != nil || len(cal.Events()) != 1 {
		t.Fatalf("%v in\n%s", err, f.Content)
	}
	ev := cal.Events()[0]
	text := func(p ics.ComponentProperty) string {
		if got := ev.GetProperty(p); got != nil {
			return got.Value
		}
		return ""
	}
	e := appointment{method: f.Method, uid: ev.Id(), status: text(ics.ComponentPropertyStatus), summary: text(ics.ComponentPropertySummary),
		description: text(ics.ComponentPropertyDescription), location: text(ics.ComponentPropertyLocation), url: text(ics.ComponentPropertyUrl)}
	for _, who := range []struct {
		p    ics.ComponentProperty
		into *string
	}{{ics.ComponentPropertyOrganizer, &e.organizer}, {ics.ComponentPropertyAttendee, &e.attendee}} {
		if got := ev.GetProperty(who.p); got != nil {
			*who.into = strings.Join(got.ICalParameters["CN"], "+") + " " + got.Value
		}
	}
	if e.sequence, err = strconv.Atoi(text(ics.ComponentPropertySequence)); err != nil {
		t.Error(err)
	}
	if e.start, err = ev.GetStartAt(); err != nil {
		t.Error(err)
	}
	if inv.Room.EndsAt != 0 {
		if e.end, err = ev.GetEndAt(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range cal.CalendarProperties {
		if p.IANAToken == "METHOD" && p.Value != f.Method || p.IANAToken == "PRODID" && strings.Contains(p.Value, "arran4") {
			t.Errorf("%+v", p)
		}
	}
	return e
}

// dated is a room from an hour from now, for two hours.
func dated(b *datatest.Bench) rooms.Draft {
	return rooms.Draft{StartsAt: b.Clock.Millis() + ms(time.Hour), EndsAt: b.Clock.Millis() + ms(3*time.Hour), Timezone: "Europe/Berlin"}
}

func TestCalendarFilesFollowTheInvitation(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := context.Background()
		r := makeRoom(t, b, dated(b))
		inv := mint(t, b, r, tokens.Draft{Name: "Grace", Email: "grace@guests.example"})
		asked := tokens.Appointment{Host: "Ada", From: "meet@example.com", Linked: true}
		first := calendar(t, b, inv, asked)
		want := appointment{method: "REQUEST", status: "CONFIRMED", uid: inv.ID.Show(rooms.InvitationPrefix) + "@meet.example", summary: "Standup",
			description: "Open " + b.Invitations.Links.Short(inv) + "\nto come in.", location: b.Invitations.Links.Short(inv), url: b.Invitations.Links.Short(inv),
			organizer: "Ada mailto:meet@example.com", attendee: "Grace mailto:grace@guests.example",
			start: time.UnixMilli(r.StartsAt).UTC(), end: time.UnixMilli(r.EndsAt).UTC()}
		if first != want {
			t.Fatalf("minted:\n%+v\nwant\n%+v", first, want)
		}
		last := first.sequence
		rises := func(what, method string, inv tokens.Invitation) appointment {
			t.Helper()
			e := calendar(t, b, inv, asked)
			if e.uid != first.uid || e.sequence <= last || e.method != method || (e.status == "CANCELLED") != (method == "CANCEL") {
				t.Errorf("%s: %+v after sequence %d", what, e, last)
			}
			last = e.sequence
			return e
		}
		start, end := r.StartsAt+ms(24*time.Hour), r.EndsAt+ms(24*time.Hour)
		r, err := b.Rooms.Change(ctx, ada(), r, rooms.Change{StartsAt: &start, EndsAt: &end})
		wants(t, "moved", err, nil)
		if e := rises("moved", "REQUEST", fetch(t, b, inv)); !e.start.Equal(time.UnixMilli(start)) || !e.end.Equal(time.UnixMilli(end)) {
			t.Errorf("moved: from %s to %s", e.start, e.end)
		}
		if now := fetch(t, b, inv).Room; now != r {
			t.Errorf("Change answered\n%+v of\n%+v", r, now)
		}
		revoked, err := b.Invitations.Revoke(ctx, ada(), inv, "")
		wants(t, "revoked", err, nil)
		rises("revoked", "CANCEL", revoked)
		restored, err := b.Invitations.Restore(ctx, ada(), inv, "")
		wants(t, "restored", err, nil)
		rises("restored", "REQUEST", restored)
		for _, closed := range []bool{true, false} {
			r, err = b.Rooms.SetClosed(ctx, ada(), r, closed)
			wants(t, "closed", err, nil)
			if now := fetch(t, b, inv); closed {
				rises("closed", "CANCEL", now)
			} else {
				rises("opened", "REQUEST", now)
			}
		}
		next, err := b.Invitations.Reissue(ctx, ada(), fetch(t, b, inv), false, true)
		wants(t, "replaced", err, nil)
		if e := rises("replaced", "REQUEST", next); e.url != b.Invitations.Links.Short(next) {
			t.Errorf("the new link is %s", e.url)
		}
		_, err = b.Invitations.Links.Calendar(fetch(t, b, inv), asked, b.Clock.Now())
		wants(t, "the old one, whose entry is the newer one's", err, tokens.ErrSuperseded)
		next, err = b.Invitations.Reissue(ctx, ada(), next, false, true)
		wants(t, "replaced again", err, nil)
		rises("replaced again", "REQUEST", next)
		twin, err := b.Invitations.Reissue(ctx, ada(), next, true, true)
		wants(t, "a second link beside it", err, nil)
		if e := calendar(t, b, twin, asked); e.uid == first.uid {
			t.Error("two good links have one entry")
		}
	})
}

func TestCalendarFilesOfNoDate(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	end := b.Clock.Millis() + ms(time.Hour)
	for name, d := range map[string]rooms.Draft{"no window": {}, "no beginning": {EndsAt: end}} {
		_, err := b.Invitations.Links.Calendar(mint(t, b, makeRoom(t, b, d), tokens.Draft{}), tokens.Appointment{}, b.Clock.Now())
		wants(t, name, err, tokens.ErrNoDate)
	}
	r := makeRoom(t, b, rooms.Draft{StartsAt: end})
	if e := calendar(t, b, mint(t, b, r, tokens.Draft{}), tokens.Appointment{}); !e.start.Equal(time.UnixMilli(end)) || !e.end.IsZero() {
		t.Errorf("no end: %+v", e)
	}
}

// A file that a person saves asks nobody for an answer, and one for a reader who
// may not see the link has none.
func TestCalendarFilesSayNoMoreThanTheyShould(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, dated(b)), tokens.Draft{Role: tokens.Host, Name: "Grace"})
	for _, row := range []struct {
		name                       string
		a                          tokens.Appointment
		method, link, from, guests string
	}{
		{"saved, with no address of ours", tokens.Appointment{Saved: true, Linked: true}, "PUBLISH", b.Invitations.Links.Short(inv), "", ""},
		{"saved", tokens.Appointment{Saved: true, From: "a@b.example"}, "PUBLISH", "", " mailto:a@b.example", ""},
		{"by mail, with no addresses", tokens.Appointment{Host: "Ada"}, "REQUEST", "", "Ada invalid:nomail", "Grace invalid:nomail"},
	} {
		e := calendar(t, b, inv, row.a)
		if e.method != row.method || e.url != row.link || e.location != row.link || !strings.Contains(e.description, row.link) || e.organizer != row.from || e.attendee != row.guests {
			t.Errorf("%s: %+v", row.name, e)
		}
		if row.link == "" && strings.Contains(e.description, "http") {
			t.Errorf("%s: a link in %q", row.name, e.description)
		}
	}
}

// strange are names that strangers choose. What they say must come back as it
// was, and begin no line of its own.
var strange = []string{
	`Doe, Ada; "the Countess": O'Brien \ Söhne`,
	"会议室 " + strings.Repeat("很长的名字", 30),
	strings.Repeat("🎟️👩‍👩‍👧‍👦", 15),
	"a" + strings.Repeat("é", 80),
	strings.Repeat("word ", 39) + "end",
	"END:VEVENT BEGIN:VALARM ATTACH:https://evil.example/",
	`\nATTENDEE:mailto:eve@evil.example`, `\\,;:\N^n^'^^`,
	"\u202Egnp.exe\u2066x", "<b>&amp;</b>", ">>>>>> <<<<<<",
}

func TestCalendarFilesHoldStrangeNames(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	for _, name := range strange {
		d := dated(b)
		d.Name = name
		inv := mint(t, b, makeRoom(t, b, d), tokens.Draft{Name: name, Email: "o'brien+x/y@guests.example"})
		words := name + "\n" + name
		a := tokens.Appointment{Host: name, From: "x@y.example", Linked: true, Describe: func(string) string { return words }}
		e := calendar(t, b, inv, a)
		if e.summary != name || e.description != words {
			t.Errorf("%q came back as %q, %q", name, e.summary, e.description)
		}
		quoted := strings.ReplaceAll(name, `"`, "'")
		// Backslashes mean nothing in a parameter; this parser takes them away.
		f, err := b.Invitations.Links.Calendar(inv, a, b.Clock.Now())
		lines := strings.ReplaceAll(string(f.Content), "\r\n ", "")
		if err != nil || !strings.Contains(lines, `ORGANIZER;CN="`+quoted+`":mailto:x@y.example`+"\r\n") || !strings.Contains(lines, `;CN="`+quoted+`":mailto:o%27brien+x%2Fy@guests.example`+"\r\n") {
			t.Errorf("%q: %v in\n%s", name, err, lines)
		}
	}
}
