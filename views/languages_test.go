package views

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func (m message) params() map[string]bool {
	names := map[string]bool{}
	for _, pieces := range m {
		for _, p := range pieces {
			if p.param != "" {
				names[p.param] = true
			}
		}
	}
	return names
}

func (m message) text(form plural.Form) (text string) {
	for _, p := range m[form] {
		text += p.text + p.param
	}
	return text
}

// faults is what is wrong with a language, measured by English.
func faults(spoken, english *tongue) (found []string) {
	say := func(key, what string) { found = append(found, key+": "+what) }
	for key, want := range english.messages {
		if !spoken.holds(key) {
			continue
		}
		got, ok := spoken.messages[key]
		if !ok {
			say(key, "is missing")
			continue
		}
		if a, b := got.params(), want.params(); !maps.Equal(a, b) {
			say(key, "has other parameters than in English")
		}
		for form := range got {
			if text := got.text(form); text == "" || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\r<>") {
				say(key, "is no plain text")
			}
		}
		if len(got) == 1 && len(want) == 1 {
			continue
		}
		needed := map[plural.Form]bool{plural.Other: true}
		for n := range 200 {
			needed[spoken.form(n)] = true
		}
		needed[spoken.form(1_000_000)] = true
		for form := range needed {
			// A language may do with one text for all numbers where it has one form, or says it so that it fits all.
			if _, ok := got[form]; !ok && len(needed) > 1 {
				say(key, "lacks a plural form")
			}
		}
	}
	for key := range spoken.messages {
		if _, known := english.messages[key]; !known {
			say(key, "is unknown in English")
		} else if !spoken.holds(key) {
			say(key, "is for hosts, to whom this language does not speak")
		}
	}
	for key, n := range map[string]int{"time.weekdays": 7, "time.months": 12} {
		if got := len(strings.Fields(spoken.messages[key].text(plural.Other))); got != n {
			say(key, "has the wrong number of words")
		}
	}
	if dir := spoken.messages["language.dir"].text(plural.Other); dir != "ltr" && dir != "rtl" {
		say("language.dir", "is neither ltr nor rtl")
	}
	if readers := spoken.messages["language.readers"].text(plural.Other); readers != "everybody" && readers != "guests" {
		say("language.readers", "are neither everybody nor guests")
	}
	slices.Sort(found)
	return found
}

// TestEveryLanguageSaysEverything holds each language to all that its readers may meet, and to nothing else.
func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	for _, spoken := range tongues() {
		t.Run(spoken.tag.String(), func(t *testing.T) {
			for _, fault := range faults(spoken, tongues()[0]) {
				t.Error(fault)
			}
		})
	}
}

// TestFaultsAreSeen is the control: each kind of mistake a language file can hold is found.
func TestFaultsAreSeen(t *testing.T) {
	t.Parallel()
	english := tongues()[0]
	for name, tc := range map[string]struct {
		key  string
		with message
		want string
	}{
		"nothing wrong":     {"join.enter", english.messages["join.enter"], ""},
		"missing":           {"join.enter", nil, "is missing"},
		"empty":             {"join.enter", message{plural.Other: cut("")}, "no plain text"},
		"a space too many":  {"join.enter", message{plural.Other: cut("Enter ")}, "no plain text"},
		"markup":            {"join.enter", message{plural.Other: cut("<b>Enter</b>")}, "no plain text"},
		"lost parameter":    {"join.invites", message{plural.Other: cut("You are invited to")}, "other parameters"},
		"wrong parameter":   {"join.invites", message{plural.Other: cut("{guest} invites you to")}, "other parameters"},
		"lost plural form":  {"wait.hours", message{plural.Other: cut("in {n} hours")}, "lacks a plural form"},
		"unknown message":   {"join.leave", message{plural.Other: cut("Leave")}, "unknown in English"},
		"eight days a week": {"time.weekdays", message{plural.Other: cut("a b c d e f g h")}, "wrong number"},
		"for nobody":        {"language.readers", message{plural.Other: cut("nobody")}, "neither everybody nor guests"},
		"for guests":        {"language.readers", message{plural.Other: cut("guests")}, "rooms.title: is for hosts"},
		"sideways":          {"language.dir", message{plural.Other: cut("up")}, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := &tongue{tag: language.BritishEnglish, messages: maps.Clone(english.messages)}
			changed.messages[tc.key] = tc.with
			if tc.with == nil {
				delete(changed.messages, tc.key)
			}
			got := strings.Join(faults(changed, english), "; ")
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFilesThatAreNoLanguage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ tag, content string }{
		"no tag":            {"english!", `{}`},
		"no JSON":           {"de", `{`},
		"a number":          {"de", `{"a": 1}`},
		"unknown form":      {"de", `{"a": {"some": "x", "other": "y"}}`},
		"without the other": {"de", `{"a": {"one": "x"}}`},
	} {
		if _, err := readTongue(tc.tag, []byte(tc.content)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

// in is a context that speaks a language which is built for the test.
func in(t *testing.T, tag, content string) context.Context {
	t.Helper()
	spoken, err := readTongue(tag, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return context.WithValue(t.Context(), languageKey{}, spoken)
}

func TestPluralsAreEachLanguagesOwn(t *testing.T) {
	t.Parallel()
	for tag, tc := range map[string]struct {
		content string
		want    []string // for 1, 2, 5, 21, and a million
	}{
		"en":    {`{"k": {"one": "{n} day", "other": "{n} days"}}`, []string{"1 day", "2 days", "5 days", "21 days", "1000000 days"}},
		"zh-CN": {`{"k": "{n} 天"}`, []string{"1 天", "2 天", "5 天", "21 天", "1000000 天"}},
		"ru":    {`{"k": {"one": "{n} день", "few": "{n} дня", "many": "{n} дней", "other": "{n} дня"}}`, []string{"1 день", "2 дня", "5 дней", "21 день", "1000000 дней"}},
		"fr":    {`{"k": {"one": "{n} jour", "many": "{n} de jours", "other": "{n} jours"}}`, []string{"1 jour", "2 jours", "5 jours", "21 jours", "1000000 de jours"}},
		"es-MX": {`{"k": {"one": "{n} día", "many": "{n} de días", "other": "{n} días"}}`, []string{"1 día", "2 días", "5 días", "21 días", "1000000 de días"}},
		"ar":    {`{"k": {"one": "يوم", "two": "يومان", "few": "{n} أيام", "other": "{n} يوم"}}`, []string{"يوم", "يومان", "5 أيام", "21 يوم", "1000000 يوم"}},
	} {
		ctx := in(t, tag, tc.content)
		for i, n := range []int{1, 2, 5, 21, 1_000_000} {
			if got := say2(ctx, "k", "n", n); got != tc.want[i] {
				t.Errorf("%s, %d: got %q, want %q", tag, n, got, tc.want[i])
			}
		}
	}
}

// say2 is t by a name that a test does not hide.
func say2(ctx context.Context, key string, params ...any) string { return t(ctx, key, params...) }

func TestSentencesPutNamesWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"in the beginning": {"{who}邀请您", "<bdi>a&lt;b</bdi>邀请您"},
		"in the end":       {"You & {who}", "You &amp; <bdi>a&lt;b</bdi>"},
		"twice":            {"{who} {who}", "<bdi>a&lt;b</bdi> <bdi>a&lt;b</bdi>"},
		"as text":          {"{text}", "a&lt;b"},
		"one unknown":      {"{what}", "{what}"},
		"a lone brace":     {"a { b", "a "},
	} {
		var out strings.Builder
		if err := say("k", "who", bdi("a<b"), "text", "a<b").Render(in(t, "en", `{"k": "`+tc.text+`"}`), &out); err != nil || out.String() != tc.want {
			t.Errorf("%s: got %q, %v; want %q", name, out.String(), err, tc.want)
		}
	}
}

func TestAMissingMessageIsSaidInEnglish(t *testing.T) {
	t.Parallel()
	ctx := in(t, "de", `{}`)
	if got := say2(ctx, "join.enter"); got != "Enter the room" {
		t.Errorf("got %q", got)
	}
	if got := say2(ctx, "no.such"); got != "⟦no.such⟧" {
		t.Errorf("nowhere: got %q", got)
	}
}

func TestWhoGetsWhichLanguage(t *testing.T) {
	t.Parallel()
	for wish, want := range map[string]string{
		"en": "en", "en-US": "en", "zh-CN": "zh-CN", "zh": "zh-CN", "zh-Hans-SG": "zh-CN", "ZH-cn": "zh-CN",
		"zh-CN,zh;q=0.9,en;q=0.8": "zh-CN", "en;q=0.5, zh-CN": "zh-CN", "fi, zh;q=0.2": "zh-CN", "fi,en;q=0.3": "en",
		"": "", "fi": "", "*": "", "not a language": "", "../../etc": "", strings.Repeat("a-", 9999): "",
	} {
		tag, ok := MatchLanguage(wish)
		if ok != (want != "") || ok && tag.String() != want {
			t.Errorf("%.40q: got %v, %v; want %q", wish, tag, ok, want)
		}
	}
}

func TestTheSwitchKeepsTheAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/":                           "/?lang=zh-CN",
		"?":                           "?lang=zh-CN",
		"?token=x.y.z":                "?lang=zh-CN&token=x.y.z",
		"/i/06DQ":                     "/i/06DQ?lang=zh-CN",
		"/join/a?token=x.y.z&lang=en": "/join/a?lang=zh-CN&token=x.y.z",
		"%zz":                         "/",
	} {
		if got := inLanguage(address, language.MustParse("zh-CN")); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	for name, ctx := range map[string]context.Context{"no address": t.Context(), "an address": WithAddress(t.Context(), "/here?a=1")} {
		var out strings.Builder
		if err := JoinPage(joinSample()).Render(ctx, &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), `href="/here?a=1&amp;lang=zh-CN"`); got != (name == "an address") {
			t.Errorf("%s: a switch is there: %v", name, got)
		}
	}
}

// TestNoPageHasWordsOfItsOwn draws every page in a language whose every text stands in brackets: letters outside of
// brackets were written into a template. Names, codes and what is for developers are left out.
func TestNoPageHasWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	pseudo := &tongue{tag: language.MustParse("eo"), messages: map[string]message{}}
	for key, m := range tongues()[0].messages {
		pseudo.messages[key] = message{}
		for form, pieces := range m {
			if key != "language.dir" && key != "time.weekdays" && key != "time.months" {
				pieces = append(append([]piece{{text: "["}}, pieces...), piece{text: "]"})
			}
			pseudo.messages[key][form] = pieces
		}
	}
	pseudo.messages["language.dir"] = message{plural.Other: cut("rtl")}
	ctx := context.WithValue(t.Context(), languageKey{}, pseudo)
	for name, c := range samples() {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := c.Render(ctx, &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "fragment-") && !strings.Contains(out.String(), `<html lang="eo" dir="rtl"`) {
				t.Error("the page does not say its language")
			}
			bare(t, strings.NewReader(out.String()))
		})
	}
}

var readable = []string{"alt", "aria-label", "placeholder", "title", "data-title"}

func bare(t *testing.T, page io.Reader) {
	t.Helper()
	root, err := html.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	depth := 0 // of brackets: a name in the middle of a sentence cuts it into several nodes
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			for _, a := range n.Attr {
				// What is shared is in its guest's language.
				shared := a.Key == "data-title" && slices.ContainsFunc(n.Attr, func(b html.Attribute) bool { return b.Key == "data-share" && strings.HasPrefix(b.Val, "#") })
				if slices.Contains(readable, a.Key) && !shared && letters(a.Val) && !strings.HasPrefix(a.Val, "[") {
					t.Errorf("<%s %s=%q> is not translated", n.Data, a.Key, a.Val)
				}
			}
		}
		if n.Type != html.TextNode || exempt(n) {
			continue
		}
		outside := ""
		for _, r := range n.Data {
			switch {
			case r == '[':
				depth++
			case r == ']':
				depth--
			case depth == 0:
				outside += string(r)
			}
		}
		if letters(strings.NewReplacer("AdmitOne", "", "UTC", "").Replace(outside)) {
			t.Errorf("%q is not translated", n.Data)
		}
	}
	if depth != 0 {
		t.Error("brackets do not match")
	}
}

func letters(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
}

// exempt is what is the same in every language: names and codes, and what is in English for developers.
func exempt(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "bdi" || p.Data == "textarea" || p.Data == "code" || p.Data == "kbd" || p.Data == "option" && n.Parent == p {
			return true
		}
		for _, a := range p.Attr {
			if a.Key == "lang" && p.Data != "html" || a.Key == "class" && (strings.Contains(a.Val, "mono") || a.Val == "band") {
				return true
			}
		}
	}
	return n.Parent.Data == "title"
}
