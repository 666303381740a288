package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// said lists what a page says in words of its own, and all that it says, names
// and all. Its own are neither a name (in <bdi>, or isolated in an attribute), nor
// code, nor to be chosen from a list of names, nor marked as being of another
// language than the page.
const said = `(() => {
	const own = [], all = [];
	const foreign = (e) => e.closest("[lang]").lang !== document.documentElement.lang;
	const quoted = "bdi, code, kbd, textarea, .mono, [translate=no], datalist, select option";
	const walk = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement;
		if (foreign(e) || e.closest("script, style, title")) continue;
		all.push(walk.currentNode.data);
		if (!e.closest(quoted)) own.push(walk.currentNode.data);
	}
	for (const e of document.querySelectorAll("*")) {
		if (foreign(e)) continue;
		for (const a of ["aria-label", "placeholder", "title", "alt", "data-came", "data-left", "data-title"]) {
			if (a === "data-title" && e.matches('[data-share^="#"]')) continue; // what is shared holds names as they are
			if (e.hasAttribute(a)) for (const list of [own, all]) list.push(e.getAttribute(a));
		}
	}
	return {own, all: all.map((s) => s.trim())};
})()`

// wordsOf holds a page against speaking English to somebody who reads another
// language, and the test against finding none where all is English.
func (b *browserTab) wordsOf(p met) {
	b.t.Helper()
	type words struct{ Own, All []string }
	got := ask(b, "read the words", chromedp.Evaluate[words](said))
	measure := b.options.Language
	if measure == "en" {
		measure = "zh-CN"
	}
	found := ours(b.t, got.All, measure)
	if strings.HasPrefix(measure, "zh") {
		found = append(found, latin(got.Own, messages(b.t, measure))...)
	}
	switch {
	case b.options.Language == "en" && len(found) == 0:
		b.t.Errorf("%s: no English was found where all is English", p.name)
	case b.options.Language != "en" && len(found) > 0:
		b.t.Errorf("%s speaks English: %q", p.name, found)
	}
}

var (
	isolated  = regexp.MustCompile("\u2068[^\u2069]*\u2069")
	latinWord = regexp.MustCompile(`[A-Za-z_]{2,}`)
	// sameEverywhere is what has the same name in every language: products, formats, zones, and the world's conference.
	sameEverywhere = regexp.MustCompile(`\b(AdmitOne|main|PIN|QR|PNG|SVG|API|JWT|UTC|GMT|Cookie|Ctrl|Firefox|Linux|[A-Z][a-z]+/[A-Z][A-Za-z_]+)\b`)
)

// latin are the texts with a word of Latin letters that is neither a name nor the same everywhere, nor in a message
// that its translator wrote so.
func latin(texts []string, written map[string]bool) (found []string) {
	for _, s := range texts {
		if !written[strings.TrimSpace(s)] && latinWord.MatchString(sameEverywhere.ReplaceAllString(isolated.ReplaceAllString(s, ""), "")) {
			found = append(found, strings.TrimSpace(s))
		}
	}
	return found
}

// ours are the texts of several words that are a message of the English language file and none of another's.
func ours(t testing.TB, texts []string, language string) (found []string) {
	t.Helper()
	english, other := messages(t, "en"), messages(t, language)
	for _, s := range texts {
		if strings.Contains(s, " ") && english[s] && !other[s] {
			found = append(found, s)
		}
	}
	return found
}

// messages are the texts of a language, as its file has them.
func messages(t testing.TB, language string) map[string]bool {
	t.Helper()
	texts := map[string]bool{}
	for _, value := range languageFile(t, language) {
		if text, ok := value.(string); ok {
			texts[text] = true
		}
	}
	return texts
}

func languageFile(t testing.TB, language string) (file map[string]any) {
	t.Helper()
	content, err := os.ReadFile("../../views/languages/" + language + ".json")
	if err == nil {
		err = json.Unmarshal(content, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The sweep notices a planted fault of each kind that it looks for.
func TestBrowserEveryPageSeesWhatGoesWrong(t *testing.T) {
	t.Parallel()
	elsewhere := site(t, nil)
	server := site(t, map[string]string{
		"/fine":      `<p>Everything is fine.</p>`,
		"/unlabeled": `<p>A field.</p><form><input name="name"></form>`,
		"/pale":      `<link rel="stylesheet" href="/pale.css"><p>Hardly to be read, in the dark alone.</p>`,
		"/pale.css":  `@media (prefers-color-scheme: dark) { p { color: #eee; background: #fff } }`,
		"/wide":      `<link rel="stylesheet" href="/wide.css"><p>Too wide for a phone.</p>`,
		"/wide.css":  `p { width: 600px }`,
		"/loud":      `<script src="/loud.js"></script><p>It complains.</p>`,
		"/loud.js":   `console.error("planted")`,
		"/inline":    `<p style="color: red">Against the policy.</p>`,
		"/foreign":   `<p>From elsewhere.</p><img alt="" src="` + elsewhere + `/x.png">`,
		"/english":   `<p>English for a reader of Chinese.</p>`,
		"/refused":   `<p>Another status than foreseen.</p>`,
	})
	for path, want := range map[string]string{"fine": "", "unlabeled": "breaks label", "pale": "breaks color-contrast", "wide": "wider than its window",
		"loud": "planted", "inline": "Content Security Policy", "foreign": "another origin", "english": "speaks English", "refused": "answers 200, want 409"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			told := &listener{TB: t}
			b := openBrowser(t, browserOptions{Server: server})
			b.t = told
			p := met{name: path, path: "/" + path, status: http.StatusOK}
			if path == "refused" {
				p.status = http.StatusConflict
			}
			b.arrive(p)
			if path == "english" {
				b.options.Language = "zh-CN"
			}
			b.hold(p)
			if got := strings.Join(told.errors, "\n"); (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("the sweep says %q, want %q", got, want)
			}
		})
	}
}

// listener keeps what a test is blamed for.
type listener struct {
	testing.TB
	errors []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.errors = append(l.errors, fmt.Sprintf(format, args...))
}
