package views

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/tokens/mail"
)

// revoked is the CalledOff of an invitation that was revoked, while the room goes on.
const revoked audit.Word = "revoked"

func letterSample(word audit.Word, locale string) mail.Letter {
	inv := tokens.Invitation{Name: "Ada", Role: tokens.Guest, MaxUses: 1, ExpiresAt: now.UnixMilli() + 7_200_000, Locale: locale, PIN: "hash",
		Room: rooms.Room{Name: "Weekly standup", Timezone: "Europe/Berlin", StartsAt: now.UnixMilli(), EndsAt: now.UnixMilli() + 3_600_000}}
	l := mail.Letter{Word: word, Invitation: inv, Host: "Grace Hopper", Link: shortLink, Picture: "cid:qr", Calendar: true}
	switch word {
	case audit.CalledOff:
		l.Link, l.Picture, l.Invitation.Room.ClosedAt = "", "", now.UnixMilli()
	case revoked:
		l.Word, l.Link, l.Picture, l.Invitation.RevokedAt = audit.CalledOff, "", "", now.UnixMilli()
	}
	return l
}

var letterWords = []audit.Word{audit.Invited, audit.Moved, audit.CalledOff, revoked, audit.OnAgain}

func TestMailsAreAsAgreed(t *testing.T) {
	for _, tag := range Languages() {
		for _, word := range letterWords {
			t.Run(tag.String()+"/"+string(word), func(t *testing.T) {
				w, err := WriteLetter(t.Context(), letterSample(word, tag.String()))
				if err != nil {
					t.Fatal(err)
				}
				agreed(t, "testdata/mail/"+string(word)+"."+tag.String()+".golden.html", w.HTML+"\n<!--\n"+w.Subject+"\n\n"+strings.ReplaceAll(w.Plain, "\r\n", "\n")+"-->")
				for what, text := range map[string]string{"the subject": w.Subject, "the text": w.Plain, "the page": w.HTML} {
					if strings.ContainsAny(text, "⟦{") && what != "the page" || strings.Contains(text, "⟦") {
						t.Errorf("%s lacks something: %s", what, text)
					}
				}
				if linked := strings.Contains(w.Plain, shortLink) && strings.Contains(w.HTML, `href="`+shortLink+`"`); linked != (word != audit.CalledOff && word != revoked) {
					t.Errorf("the link is there: %v", linked)
				}
			})
		}
	}
}

// TestWhoIsNotWelcomeIsNotToldThatItIsOff: nor when it is, for they may never have been told of the latest time.
func TestWhoIsNotWelcomeIsNotToldThatItIsOff(t *testing.T) {
	t.Parallel()
	for _, tag := range Languages() {
		off, err := WriteLetter(t.Context(), letterSample(audit.CalledOff, tag.String()))
		if err != nil {
			t.Fatal(err)
		}
		w, err := WriteLetter(t.Context(), letterSample(revoked, tag.String()))
		if err != nil {
			t.Fatal(err)
		}
		said, _, _ := strings.Cut(off.Subject, "Weekly")
		for _, words := range []string{strings.Trim(said, " :："), "2026", "14:00"} {
			if !strings.Contains(off.Plain, words) || !strings.Contains(off.HTML, words) {
				t.Errorf("%s: %q is not said where the room is closed: %s", tag, words, off.Plain)
			}
			if strings.Contains(w.Subject+w.Plain+w.HTML, words) {
				t.Errorf("%s: %q is said to who was withdrawn: %s\n%s", tag, words, w.Subject, w.Plain)
			}
		}
	}
}

// TestMailsHoldNoSignsThatNobodySees but where names turn what stands beside them.
func TestMailsHoldNoSignsThatNobodySees(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Weekly standup":           "Weekly standup",
		"Herbsttagung 2026 – Groß": "Herbsttagung 2026 – Groß",
		"李雷 👩🏽‍🚀":                  "李雷 👩🏽‍🚀",
		"Ada \u202eb\u2066":        "Ada b",
		"שלום – 2026":              "\u2068שלום – 2026\u2069",
		"Standup مرحبا":            "\u2068Standup مرحبا\u2069",
		"٢٠٢٦ 1":                   "\u2068٢٠٢٦ 1\u2069",
		"ߒߞߏ":                      "\u2068ߒߞߏ\u2069",
	} {
		l := letterSample(audit.Invited, "en")
		l.Invitation.Room.Name, l.Invitation.Name, l.Host = name, name, name
		w, err := WriteLetter(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if w.Subject != want+" invites you to "+want || !strings.HasPrefix(w.Plain, "Hello "+want+",\r\n") {
			t.Errorf("%q: %q\n%q", name, w.Subject, w.Plain)
		}
	}
}

// TestMailsLoadNothing: what a mail shows comes with it, and whoever is named in it writes no markup.
func TestMailsLoadNothing(t *testing.T) {
	t.Parallel()
	l := letterSample(audit.Invited, "de")
	l.Invitation.Name, l.Invitation.Room.Name, l.Host = scriptName, bidiName, scriptName
	w, err := WriteLetter(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.HTML, "<script>") || strings.ContainsAny(w.Subject+w.Plain, "\u202e\u2066") {
		t.Errorf("a name got out: %s\n%s", w.Subject, w.HTML)
	}
	if !strings.Contains(w.HTML, `<html lang="de" dir="ltr">`) {
		t.Error("the mail does not say its language")
	}
	walk(t, w.HTML, func(tag string, attr map[string]string, _ *html.Node) {
		if src := attr["src"]; src != "" && src != "cid:qr" {
			t.Errorf("<%s> loads %s", tag, src)
		}
		if href := attr["href"]; href != "" && href != shortLink {
			t.Errorf("<%s> leads to %s", tag, href)
		}
		if tag == "script" || tag == "link" || tag == "iframe" || tag == "form" {
			t.Errorf("a mail with <%s>", tag)
		}
	})
}

func TestTheTimeIsTheRooms(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*rooms.Room)
		want   string
	}{
		"in its zone":     {func(*rooms.Room) {}, "When: Mon 23 Nov 2026, 14:00 – 15:00 CET (Europe/Berlin)"},
		"half an hour":    {func(r *rooms.Room) { r.Timezone = "Asia/Kolkata" }, "18:30 – 19:30 IST (Asia/Kolkata)"},
		"without a zone":  {func(r *rooms.Room) { r.Timezone = "" }, "13:00 – 14:00 UTC"},
		"over midnight":   {func(r *rooms.Room) { r.EndsAt = r.StartsAt + 36_000_000 }, "14:00 CET (Europe/Berlin) – Tue 24 Nov 2026, 00:00 CET (Europe/Berlin)"},
		"without an end":  {func(r *rooms.Room) { r.EndsAt = 0 }, "When: From Mon 23 Nov 2026, 14:00 CET (Europe/Berlin)"},
		"without a start": {func(r *rooms.Room) { r.StartsAt = 0 }, "When: Until Mon 23 Nov 2026, 15:00 CET (Europe/Berlin)"},
	} {
		l := letterSample(audit.Invited, "en")
		tc.change(&l.Invitation.Room)
		w, err := WriteLetter(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Plain, tc.want) {
			t.Errorf("%s: %s", name, w.Plain)
		}
	}
}
