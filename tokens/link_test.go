package tokens_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

func TestShortLinkKeepsItsLimits(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	links := &tokens.Links{Ring: b.Ring, Base: "https://meets.university.example"}
	if host := strings.TrimPrefix(links.Base, "https://"); len(host) != 24 {
		t.Fatalf("%q is no host of 24 characters", host)
	}
	shape := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{26}$`)
	seen := map[string]bool{}
	for i := range 1000 {
		id := b.IDs.Next(b.Clock.Millis() + int64(i%3))
		code := links.Code(id)
		if !shape.MatchString(code) || seen[code] || links.Code(id) != code {
			t.Fatalf("code %q of %d", code, id)
		}
		seen[code] = true
		short := links.Short(tokens.Invitation{ID: id})
		if len(short) > 64 || short != links.Base+"/i/"+code {
			t.Fatalf("%s is %d characters long", short, len(short))
		}
	}
}

func TestReadUnderstandsEverySpellingOfALink(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	code := b.Invitations.Links.Code(inv.ID)
	token, err := b.Invitations.Links.Token(inv)
	must(t, err)
	upper := strings.ToUpper(code)
	lookalike := strings.NewReplacer("0", "o", "1", "l").Replace(code)
	for _, tt := range []struct {
		name, text, slug string
		want             error
	}{
		{"a code", code, "", nil},
		{"in capitals", upper, "", nil},
		{"half in capitals", upper[:13] + code[13:], "", nil},
		{"with o for 0 and l for 1", lookalike, "", nil},
		{"with O for 0 and L for 1", strings.ToUpper(lookalike), "", nil},
		{"with i for 1", strings.ReplaceAll(code, "1", "i"), "", nil},
		{"with I for 1", strings.ReplaceAll(code, "1", "I"), "", nil},
		{"with spaces around", "  " + code + "\n", "", nil},
		{"a short link", datatest.Base + "/i/" + code, "", nil},
		{"a short link as the QR code has it", strings.ToUpper(datatest.Base + "/i/" + code), "", nil},
		{"a short link with something added by a mailer", datatest.Base + "/i/" + code + "?utm_source=mail#top", "", nil},
		{"a token", token, "standup", nil},
		{"a token with spaces around", "\t" + token + "\r\n", "standup", nil},
		{"a whole link", datatest.Base + "/join/standup?token=" + token, "standup", nil},
		{"a whole link with something added", datatest.Base + "/join/standup?utm=1&token=" + token + "#x", "standup", nil},
		{"a token in another room's link", datatest.Base + "/join/other?token=" + token, "", tokens.ErrWrongRoom},
		{"a token in a link of no room", datatest.Base + "/elsewhere?token=" + token, "", tokens.ErrWrongRoom},

		{"nothing", "", "", tokens.ErrInvalidLink},
		{"a letter less", code[1:], "", tokens.ErrInvalidLink},
		{"a letter more", code + "0", "", tokens.ErrInvalidLink},
		{"a newline inside", code[:13] + "\n" + code[13:], "", tokens.ErrInvalidLink},
		{"a newline for a letter", code[:25] + "\n", "", tokens.ErrInvalidLink},
		{"a hyphen inside", code[:13] + "-" + code[13:], "", tokens.ErrInvalidLink},
		{"the Kelvin sign for k", strings.Repeat("\u212a", 8) + "00", "", tokens.ErrInvalidLink},
		{"padding", code[:24] + "==", "", tokens.ErrInvalidLink},
		{"a path alone", "/i/" + code, "", tokens.ErrInvalidLink},
		{"another path", datatest.Base + "/x/" + code, "", tokens.ErrInvalidLink},
		{"a path below", datatest.Base + "/i/" + code + "/", "", tokens.ErrInvalidLink},
		{"no path", datatest.Base, "", tokens.ErrInvalidLink},
		{"a code for a token", datatest.Base + "/join/standup?token=" + code, "", tokens.ErrInvalidLink},
		{"a token for a code", datatest.Base + "/i/" + "x.y.z", "", tokens.ErrInvalidLink},
		{"an id", inv.ID.Show("inv_"), "", tokens.ErrInvalidLink},
		{"zeros", strings.Repeat("0", 26), "", tokens.ErrInvalidLink},
		{"the greatest number", strings.Repeat("z", 26), "", tokens.ErrInvalidLink},
		{"SQL", "' OR 1=1 -- '  ' OR 1=1 --", "", tokens.ErrInvalidLink},
		{"a megabyte", strings.Repeat("0", 1<<20), "", tokens.ErrInvalidLink},
		{"a megabyte of percent signs", datatest.Base + "/i/" + strings.Repeat("%", 1<<20), "", tokens.ErrInvalidLink},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, slug, err := b.Invitations.Links.Read(context.Background(), tt.text)
			wants(t, "reading", err, tt.want)
			if tt.want == nil && (id != inv.ID || slug != tt.slug) {
				t.Errorf("it names %v in %q, want %v in %q", id, slug, inv.ID, tt.slug)
			}
			if tt.want == tokens.ErrInvalidLink && (id != 0 || slug != "") { //nolint:errorlint // the row's own value
				t.Errorf("it names %v in %q all the same", id, slug)
			}
		})
	}
}

// likeness is what a person may write for another character of a code.
func likeness(r rune) rune {
	switch r {
	case 'o', 'O':
		return '0'
	case 'i', 'I', 'l', 'L':
		return '1'
	}
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func TestEveryChangeOfOneCharacterIsRefused(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	for range 5 {
		id := b.IDs.Next(b.Clock.Millis())
		code := b.Invitations.Links.Code(id)
		for i := range code {
			for c := rune(0); c < 256; c++ {
				text := code[:i] + string(c) + code[i+1:]
				got, _, err := b.Invitations.Links.Read(t.Context(), text)
				same := likeness(c) == rune(code[i])
				if same != (err == nil) || same && got != id {
					t.Fatalf("%q with %q at %d: %v, %v", code, c, i, got, err)
				}
			}
			if i > 0 && code[i] != code[i-1] {
				swapped := code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]
				if _, _, err := b.Invitations.Links.Read(t.Context(), swapped); err == nil {
					t.Fatalf("%q passes for %q", swapped, code)
				}
			}
		}
	}
}

// A code of one installation opens nothing in another.
func TestCodesAndTokensAreOfOneInstallation(t *testing.T) {
	t.Parallel()
	here, there := datatest.SQLite(t), datatest.SQLite(t)
	inv := mint(t, there, makeRoom(t, there, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	token, err := there.Invitations.Links.Token(inv)
	must(t, err)
	for _, text := range []string{token, there.Invitations.Links.Code(inv.ID)} {
		if _, _, err := here.Invitations.Links.Read(t.Context(), text); err != tokens.ErrInvalidLink { //nolint:errorlint // it wraps nothing
			t.Errorf("%s: %v", text, err)
		}
	}
	moved := &tokens.Links{Ring: there.Ring, Base: "https://elsewhere.example"}
	if _, _, err := moved.Read(t.Context(), token); err != tokens.ErrInvalidLink { //nolint:errorlint // it wraps nothing
		t.Errorf("a token of another origin with the same keys: %v", err)
	}
}

// Nothing a stranger sends makes the reader panic, and only what holds our own
// code or token passes.
func FuzzLinksRead(f *testing.F) {
	b := datatest.SQLite(f)
	inv := mint(f, b, makeRoom(f, b, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	links := b.Invitations.Links
	code := links.Code(inv.ID)
	token, err := links.Token(inv)
	must(f, err)
	h := handOf(f, b, inv)
	for _, seed := range []string{"", code, strings.ToUpper(code), token, token + ".", links.Base + "/i/" + code, links.Base + "/I/" + strings.ToUpper(code),
		links.Base + "/join/standup?token=" + token, links.Base + "/join/standup?token=" + url.QueryEscape(token+"\n"), h.sign("{}", "{}"), h.sign("null", h.claim),
		h.sign(h.header, "[]"), "..", "://", "//x/i/" + code, "http://[::1", "https://%zz/i/x", "mailto:a.b.c", "\x00", "\xff.\xff.\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, slug, err := links.Read(context.Background(), text)
		if err != nil {
			if id != 0 && err != tokens.ErrWrongRoom || err != tokens.ErrWrongRoom && err != tokens.ErrInvalidLink { //nolint:errorlint // neither wraps anything
				t.Fatalf("%q: %v, %v", text, id, err)
			}
			if err == tokens.ErrInvalidLink { //nolint:errorlint // it wraps nothing
				return
			}
		}
		plain, bad := url.QueryUnescape(text)
		if bad != nil {
			plain = text
		}
		if both := text + plain; !strings.Contains(both, token) && !strings.Contains(strings.Map(likeness, both), code) {
			t.Fatalf("%q is none of our own spellings and names %v in %q", text, id, slug)
		}
		if id != inv.ID || slug != "" && slug != "standup" {
			t.Fatalf("%q names %v in %q", text, id, slug)
		}
	})
}
