package views

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// sameAsEnglish is what may read as in English: units, and words that languages share.
var sameAsEnglish = map[string][]string{
	"time.minutes":       {"de", "es", "fr"},
	"time.hours-minutes": {"de", "es", "fr"},
	"time.hours-few":     {"de", "es", "fr"},
	"time.clock":         {"es", "fr", "zh-CN", "zh-TW"},
	"time.at":            {"es"},
	"time.at-no-zone":    {"es"},
	"time.in":            {"de"},
	"join.pin":           {"de", "es"},
	"move.code":          {"de", "fr"},
}

// untranslated are the messages of a language that are the same in English, other than those above, names and patterns
// without a word.
func untranslated(spoken, english *tongue) (found []string) {
	words := func(m message) string {
		text := ""
		for _, p := range m[plural.Other] {
			text += p.text
		}
		return text
	}
	for key, m := range spoken.messages {
		text := m.text(plural.Other)
		if text == english.messages[key].text(plural.Other) && letters(words(m)) && !slices.Contains(sameAsEnglish[key], spoken.tag.String()) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return found
}

func TestGuestsMessagesAreTranslated(t *testing.T) {
	t.Parallel()
	english := tongues()[0]
	for _, spoken := range tongues()[1:] {
		for _, key := range untranslated(spoken, english) {
			if guestMessages.MatchString(key) && !strings.HasPrefix(key, "language.") {
				t.Errorf("%s says in English: %s", spoken.tag, key)
			}
		}
	}
	// The control: English itself, taken for German, is found out.
	taken := &tongue{tag: language.German, messages: english.messages}
	if got := untranslated(taken, english); !slices.Contains(got, "join.enter") || len(got) < len(english.messages)*9/10 {
		t.Errorf("of %d messages in English %d were found", len(english.messages), len(got))
	}
}

// TestFrenchKeepsItsSignsWithItsWords: a sign that stands apart by a space must not begin a line.
func TestFrenchKeepsItsSignsWithItsWords(t *testing.T) {
	t.Parallel()
	apart := regexp.MustCompile(`[ \pL\d][;:!?»]|«[ \pL]`)
	for _, spoken := range tongues() {
		if spoken.tag != language.French {
			continue
		}
		for key, m := range spoken.messages {
			for form := range m {
				if text := m.text(form); apart.MatchString(text) {
					t.Errorf("%s lacks a no-break space: %s", key, text)
				}
			}
		}
		return
	}
	t.Error("there is no French")
}

// TestGuestsMeetOnlyGuestsMessages draws every page of guests in a language that has their messages alone, and marks
// what it lacks.
func TestGuestsMeetOnlyGuestsMessages(t *testing.T) {
	t.Parallel()
	spare := &tongue{tag: language.MustParse("eo"), messages: map[string]message{}}
	for key, m := range tongues()[0].messages {
		if !guestMessages.MatchString(key) {
			m = message{plural.Other: cut("⟦" + key + "⟧")}
		}
		spare.messages[key] = m
	}
	ctx := context.WithValue(t.Context(), languageKey{}, spare)
	pages := 0
	for name, c := range samples() {
		if !toGuests(t, c) {
			continue
		}
		pages++
		var out strings.Builder
		if err := c.Render(ctx, &out); err != nil {
			t.Fatal(err)
		}
		for _, lacking := range strings.Split(out.String(), "⟦")[1:] {
			t.Errorf("%s says %s, which is no message of guests", name, strings.SplitN(lacking, "⟧", 2)[0])
		}
	}
	if pages < 20 {
		t.Errorf("only %d pages are for guests: the test looks in the wrong place", pages)
	}
}

func TestEachFrameOffersTheLanguagesItsReadersHave(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"join":  {"en", "de", "es", "fr", "zh-CN", "zh-TW"},
		"rooms": {"en", "zh-CN"},
	} {
		page := render(t, samples()[name])
		var got []string
		for _, tag := range Languages() {
			if strings.Contains(page, ` lang="`+tag.String()+`" hreflang=`) || strings.Contains(page, `<span lang="`+tag.String()+`" aria-current=`) {
				got = append(got, tag.String())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s offers %v, want %v", name, got, want)
		}
	}
}

func TestGuestsGetTheNearestOfTheirLanguages(t *testing.T) {
	t.Parallel()
	for wish, want := range map[string]string{
		"zh-TW": "zh-TW", "zh-HK": "zh-TW", "zh-MO": "zh-TW", "zh-Hant": "zh-TW", "zh-Hant-HK": "zh-TW",
		"zh": "zh-CN", "zh-CN": "zh-CN", "zh-SG": "zh-CN", "zh-Hans": "zh-CN",
		"de-AT": "de", "de-CH": "de", "es-MX": "es", "es-419": "es", "fr-CA": "fr", "fr-BE,fr;q=0.8,nl;q=0.6": "fr", "en-AU": "en",
		"pt": "", "pt-BR": "", "it": "", "ja": "", "pt,es;q=0.3": "es",
	} {
		tag, ok := MatchLanguage(wish)
		if ok != (want != "") || ok && tag.String() != want {
			t.Errorf("%s: got %v, %v; want %q", wish, tag, ok, want)
		}
		if tag, ok := MatchHostLanguage(wish); ok && tag.String() != "en" && tag.String() != "zh-CN" {
			t.Errorf("%s: a host gets %v", wish, tag)
		}
	}
}

// TestOneMoreFileIsOneMoreLanguage adds one for guests, in which every text is its key.
func TestOneMoreFileIsOneMoreLanguage(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	english := tongues()[0]
	for _, key := range slices.Sorted(maps.Keys(english.messages)) {
		if !guestMessages.MatchString(key) {
			continue
		}
		text := "sv " + english.messages[key].text(plural.Other)
		switch key {
		case "language.name":
			text = "Svenska"
		case "language.dir":
			text = "ltr"
		case "language.readers":
			text = "guests"
		case "time.weekdays", "time.months":
			text = strings.TrimPrefix(text, "sv ")
		}
		fmt.Fprintf(&file, ",\n%q: {\"one\": %q, \"other\": %q}", key, text, text)
	}
	files := fstest.MapFS{"languages/sv.json": {Data: []byte("{" + file.String()[1:] + "}")}}
	for _, name := range []string{"en", "zh-CN"} {
		content, err := fs.ReadFile(languageFiles, "languages/"+name+".json")
		if err != nil {
			t.Fatal(err)
		}
		files["languages/"+name+".json"] = &fstest.MapFile{Data: content}
	}
	all, err := readTongues(files)
	if err != nil {
		t.Fatal(err)
	}
	guests := newCircle(all)
	tag, ok := guests.match("sv-FI, en;q=0.5")
	if !ok || tag.String() != "sv" || len(all) != 3 {
		t.Fatalf("of %d languages, %v is chosen", len(all), tag)
	}
	for _, spoken := range all {
		if spoken.tag == tag && spoken.forHosts() {
			t.Error("it speaks to hosts, who would read half of it in English")
		}
	}
}
