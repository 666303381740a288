package rooms

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, in, want string
		limit          int
		refused        bool
	}{
		{name: "plain", in: "Ada", want: "Ada"},
		{name: "nothing", in: "", want: ""},
		{name: "only space", in: " \t\u00a0 ", want: ""},
		{name: "ends are trimmed", in: "  Ada L  ", want: "Ada L"},
		{name: "control characters become spaces", in: "a\tb\nc\rd\x1be\x7ff\u0085g\u2028h\u2029i", want: "a b c d e f g h i"},
		{name: "and those at the ends go", in: "\r\nAda\x1b", want: "Ada"},
		{name: "emoji of several runes", in: "👩‍🚀🇩🇪", want: "👩‍🚀🇩🇪"},
		{name: "bidi characters are kept", in: "\u202eevil\u2066", want: "\u202eevil\u2066"},
		{name: "markup is text", in: "<b>'\"&", want: "<b>'\"&"},
		{name: "as long as may be, in characters", in: "日本語", limit: 3, want: "日本語"},
		{name: "one too many", in: "日本語", limit: 2, refused: true},
		{name: "space at the ends does not count", in: " 日本 ", limit: 2, want: "日本"},
		{name: "NUL", in: "a\x00b", refused: true},
		{name: "broken UTF-8", in: "a\xffb", refused: true},
		{name: "half a character", in: "日"[:2], refused: true},
		{name: "a surrogate", in: "\xed\xa0\x80", refused: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if row.limit == 0 {
				row.limit = 100
			}
			got, err := CleanText("name", row.in, row.limit)
			var invalid Invalid
			if got != row.want || (err != nil) != row.refused {
				t.Errorf("%q, %v; want %q", got, err, row.want)
			}
			if row.refused && !asInvalid(err, &invalid) || invalid.Field != "name" && row.refused {
				t.Errorf("the refusal does not name the field: %v", err)
			}
		})
	}
}

func asInvalid(err error, to *Invalid) (ok bool) {
	*to, ok = err.(Invalid) //nolint:errorlint // it is returned as it is
	return ok
}

func FuzzCleanText(f *testing.F) {
	for _, seed := range []string{"Ada", " a\nb ", "\x00", "\xff", "\u202e", "👩‍🚀", strings.Repeat("x", 300), "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		const limit = 200
		out, err := CleanText("name", in, limit)
		if err != nil {
			if out != "" {
				t.Errorf("refused and %q", out)
			}
			return
		}
		if !utf8.ValidString(out) || utf8.RuneCountInString(out) > limit || out != strings.TrimSpace(out) ||
			strings.ContainsFunc(out, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
			t.Errorf("%q became %q", in, out)
		}
		if again, err := CleanText("name", out, limit); err != nil || again != out {
			t.Errorf("what was clean is not: %q became %q, %v", out, again, err)
		}
	})
}

func TestValidSlug(t *testing.T) {
	t.Parallel()
	for slug, want := range map[string]bool{
		"a": true, "0": true, "standup": true, "a-b": true, "a--b": true, "2026-01-15": true, strings.Repeat("a", 64): true, "room": true, "room-1": true,
		"": false, "-a": false, "a-": false, "-": false, "A": false, "a_b": false, "room_1": false, "ü": false, "a b": false, "a/b": false, "a.b": false,
		"..": false, "a\n": false, "a\x00": false, strings.Repeat("a", 65): false, "%61": false, ID(1).Show(RoomPrefix): false,
	} {
		if got := ValidSlug(slug); got != want {
			t.Errorf("ValidSlug(%q) is %v", slug, got)
		}
	}
}

func TestSlugFromAName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Standup": "standup", "Daily Stand-up!": "daily-stand-up", "  a  b  ": "a-b", "Café Zürich": "cafe-zurich", "Ada's": "adas", "會議": "room", "🎟": "room",
		"會議 2": "2", "---": "room", "A/B": "a-b", "room_1": "room-1", "../../etc": "etc",
	} {
		if got := slugFrom(name); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
}

func FuzzSlugFrom(f *testing.F) {
	for _, seed := range []string{"Stand up", "會議", "ÄÖÜ", strings.Repeat("long name ", 30), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		// A suffix must have room behind it.
		if slug := slugFrom(name); !ValidSlug(slug) || !ValidSlug(slug+"-abcde") {
			t.Errorf("%q gives %q", name, slug)
		}
	})
}

func FuzzSlugNamed(f *testing.F) {
	for _, seed := range []string{"Test Room", "會議", "a-", "__", strings.Repeat("long name ", 30), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		slug := slugNamed(name)
		if !ValidSlug(slug) || slugNamed(slug) != slug || slugNamed(strings.ToLower(name)) != slug {
			t.Errorf("%q gives %q", name, slug)
		}
	})
}
