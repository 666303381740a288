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

func letterSample(word audit.Word, locale string) mail.Letter {
	inv := tokens.Invitation{Name: "Ada", Role: tokens.Guest, MaxUses: 1, ExpiresAt: now.UnixMilli() + 7_200_000, Locale: locale, PIN: "hash",
		Room: rooms.Room{Name: "Weekly standup", Timezone: "Europe/Berlin", StartsAt: now.UnixMilli(), EndsAt: now.UnixMilli() + 3_600_000}}
	l := mail.Letter{Word: word, Invitation: inv, Host: "Grace Hopper", Link: shortLink, Picture: "cid:qr", Calendar: true}
	if word == audit.CalledOff {
		l.Link, l.Picture = "", ""
	}
	return l
}

var letterWords = []audit.Word{audit.Invited, audit.Moved, audit.CalledOff, audit.OnAgain}

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
				if linked := strings.Contains(w.Plain, shortLink) && strings.Contains(w.HTML, `href="`+shortLink+`"`); linked != (word != audit.CalledOff) {
					t.Errorf("the link is there: %v", linked)
				}
			})
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
