package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// met is a page as somebody meets it.
type met struct {
	name   string
	cookie string // "name=value" of who opens it, empty for nobody
	path   string
	status int                 // of the answer that brought what is looked at
	do     func(b *browserTab) // what is done there before looking, nil for nothing
	says   string              // part of what the console says of it, as of an answer 5xx; empty for nothing
}

// Every page that hosts and guests can meet can be used by everybody, however
// it is looked at and in every language: axe-core finds nothing, the console
// stays silent, nothing comes from elsewhere, nothing sticks out at the side, and
// no page says in English what it could say in the reader's language.
func TestBrowserEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := &sightings{paths: map[string]bool{}, told: map[string]bool{}}
	for name, part := range map[string]struct {
		server        string
		pages, guests []met // the doors at the end: the last of them asks before it is left
	}{
		"served": {w.URL, slices.Concat(w.guestPages(), w.hostPages(), w.appPages(), w.passkeyPages(), w.listPages(), w.doorPages()), w.guestPages()},
		"drawn":  {drawn(t), drawnPages(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, language := range everyLanguage {
				t.Run(language, func(t *testing.T) {
					t.Parallel()
					b := newBrowser(t, browserOptions{Server: part.server, Language: language, Timezone: "Europe/Berlin"})
					pages := part.pages
					if guestsAlone(language) {
						pages = part.guests
					}
					for _, p := range pages {
						t.Run(p.name, func(t *testing.T) { b.with(t).sweep(p, seen) })
					}
				})
			}
		})
	}
	t.Run("none-forgotten", func(t *testing.T) { w.covered(t, seen) })
}

// everyLanguage is all that are spoken: the first two to everybody, the others to guests alone.
var everyLanguage = []string{"en", "zh-CN", "de", "es", "fr", "zh-TW"}

func guestsAlone(language string) bool { return slices.Index(everyLanguage, language) > 1 }

// with is the same window for another test.
func (b *browserTab) with(t testing.TB) *browserTab {
	same := *b
	same.t = t
	return &same
}

func (b *browserTab) sweep(p met, seen *sightings) {
	b.t.Helper()
	b.arrive(p)
	seen.add(b)
	b.hold(p)
}

// everyLook is the order in which a page is looked at: each differs from the one before in one thing, and where that is
// the theme, only what a theme could break is looked for.
var everyLook = []struct {
	name         string
	width        int64
	dark, mobile bool
	rules        string
}{{"1280-light", 1280, false, false, allRules}, {"1280-dark", 1280, true, false, themeRules},
	{"360-dark", 360, true, true, allRules}, {"360-light", 360, false, true, themeRules}}

// hold holds the page in the window against what every page promises.
func (b *browserTab) hold(p met) {
	b.t.Helper()
	if b.Status() != p.status {
		b.t.Errorf("%s answers %d, want %d: %s", p.name, b.Status(), p.status, b.Text("main"))
	}
	if got := b.Attribute("html", "lang"); got != b.options.Language {
		b.t.Errorf("%s says that it speaks %q, want %q", p.name, got, b.options.Language)
	}
	looks := everyLook
	if guestsAlone(b.options.Language) {
		looks = everyLook[2:3] // on a phone, where words run out of room
	}
	for _, look := range looks {
		b.options.Width, b.options.Dark, b.options.Mobile = look.width, look.dark, look.mobile
		b.do("look at it as "+look.name, chromedp.Func(b.options.look))
		b.seenBy("page-"+p.name+"-"+b.options.Language+"-"+look.name, look.rules)
	}
	b.wordsOf(p)
	b.settle()
	for _, problem := range b.forget() {
		if p.says == "" || !strings.Contains(problem, p.says) {
			b.t.Errorf("%s in the browser: %s", p.name, problem)
		}
	}
}

// forget is what went wrong since it was last asked for.
func (w *watch) forget() []string {
	found, _ := w.found()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = nil
	return found
}

// arrive opens the page as the one who meets it. Each language comes from an
// address of its own, so that what one look tries in vain counts for no other.
func (b *browserTab) arrive(p met) {
	b.t.Helper()
	b.Open("/healthz") // away from a live page, which would notice that its cookie goes
	b.do("become who meets "+p.name, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			return err
		}
		from := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": fmt.Sprint("192.0.2.", 1+slices.Index(everyLanguage, b.options.Language))}}
		if _, err := cdp.Call(ctx, tab, network.SetExtraHTTPHeaders, from); err != nil || p.cookie == "" {
			return err
		}
		name, value, _ := strings.Cut(p.cookie, "=")
		_, err := cdp.Call(ctx, tab, network.SetCookies, network.SetCookiesParams{
			Cookies: []*network.CookieParam{{Name: name, Value: value, URL: b.options.Server, HTTPOnly: true}}})
		return err
	}))
	b.Open(p.path)
	if p.do != nil {
		p.do(b)
	}
}

// sightings is what was met, in any language.
type sightings struct {
	mu    sync.Mutex
	paths map[string]bool // of the pages
	told  map[string]bool // refusals' codes and failures' statuses, as the pages show them
}

// refusalTold is what a refusal shows for who helps the guest, and failureTold what any other failure has on its band.
const (
	refusalTold = `(document.querySelector("main article.void .print .mono") || {innerText: ""}).innerText`
	failureTold = `(document.querySelector("main .void .band span") || {innerText: ""}).innerText`
)

func (s *sightings) add(b *browserTab) {
	b.t.Helper()
	told := ask(b, "read what is refused", chromedp.Evaluate[[]string]("["+refusalTold+","+failureTold+"]"))
	at, err := url.Parse(b.URL())
	if err != nil {
		b.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[at.Path] = true
	s.told[told[0]], s.told[told[1]] = true, true
}
