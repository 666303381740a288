package main

import (
	"html"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// page is a document without a fault of its own around body.
func page(body string) string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"></head><body><main><h1>A page</h1>` + body + `</main></body></html>`
}

// site serves pages under the strictest of policies that still lets its own scripts run.
func site(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src * data:")
		body, ok := pages[r.URL.Path]
		if kind := mime.TypeByExtension(path.Ext(r.URL.Path)); ok && kind != "" {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
			return
		}
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			body = `<p id="refusal">not here</p>`
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusConflict)
			body = `<p id="got">` + html.EscapeString(r.FormValue("name")) + `</p>`
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestBrowserHarnessSeesWhatGoesWrong(t *testing.T) {
	t.Parallel()
	elsewhere := site(t, nil)
	pages := map[string]string{
		"/nothing":    `<p>all is well</p>`,
		"/error":      `<script src="/error.js"></script>`,
		"/error.js":   `console.error("a", 42, {b: 1})`,
		"/warning":    `<script src="/warning.js"></script>`,
		"/warning.js": `console.warn("careful")`,
		"/throw":      `<script src="/throw.js"></script>`,
		"/throw.js":   `setTimeout(() => { throw new Error("never caught") })`,
		"/inline":     `<script>document.title = "inline"</script>`,
		"/style":      `<p style="color: red">red</p>`,
		"/foreign":    `<img alt="" src="` + elsewhere + `/x.png">`,
		"/missing":    `<img alt="" src="/missing.png">`,
	}
	server := site(t, pages)
	tests := []struct{ path, want string }{
		{"/nothing", ""},
		{"/error", "console error: \"a\" 42 Object"},
		{"/warning", "console warning: \"careful\""},
		{"/throw", "exception: Uncaught Error: never caught"},
		{"/inline", "Content Security Policy"},
		{"/style", "Content Security Policy"},
		{"/foreign", "request to another origin: " + elsewhere + "/x.png"},
		{"/missing", "404"},
		{"/no-such-page", ""},
	}
	for _, tt := range tests {
		t.Run(strings.Trim(tt.path, "/"), func(t *testing.T) {
			t.Parallel()
			b := openBrowser(t, browserOptions{Server: server})
			b.Open(tt.path)
			b.settle()
			got, _ := b.found()
			all := strings.Join(got, "\n")
			if (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
				t.Errorf("found %q, want %q", all, tt.want)
			}
		})
	}
}

func TestBrowserHarnessLetsExpectedProblemsPass(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]string{"/error": `<script src="/error.js"></script>`, "/error.js": `console.error("foreseen")`})
	b := openBrowser(t, browserOptions{Server: server})
	b.Expect("foreseen")
	b.Expect("never happens")
	b.Open("/error")
	b.settle()
	if unexpected, missing := b.found(); len(unexpected) != 0 || len(missing) != 1 || missing[0] != "never happens" {
		t.Errorf("unexpected %q and missing %q, want nothing and [never happens]", unexpected, missing)
	}
}

func TestBrowserHarnessFindsWhatSomePeopleCannotUse(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]string{
		"/good":      `<form><label for="n">Name</label> <input id="n" name="name"></form>`,
		"/bad":       `<form><input name="name"></form>`,
		"/small":     `<link rel="stylesheet" href="/small.css"><p><button>a</button><button>b</button></p>`,
		"/small.css": `button { width: 12px; height: 12px; padding: 0; font-size: 8px; }`,
	})
	for address, want := range map[string]string{"/good": "", "/bad": "breaks label (critical)", "/small": "breaks target-size"} {
		t.Run(strings.Trim(address, "/"), func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t, browserOptions{Server: server})
			b.Open(address)
			got := strings.Join(b.axeViolations(allRules), "\n")
			if (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

func TestBrowserHarnessActsAsAPerson(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]string{
		"/form": `<form method="post"><label>Name <input name="name" value="before"></label> <button>Send</button></form>`,
	})
	const name = "Ada 李 O'Neil"
	for _, noScript := range []bool{false, true} {
		b := newBrowser(t, browserOptions{Server: server, NoScript: noScript})
		b.Open("/form")
		if b.Status() != http.StatusOK {
			t.Errorf("status %d, want 200", b.Status())
		}
		b.Fill("input", name)
		b.Follow("button")
		if got := b.Text("#got"); got != name || b.Status() != http.StatusConflict {
			t.Errorf("by mouse: %q with status %d, want %q with 409", got, b.Status(), name)
		}
		b.Open("/form")
		b.Press(kb.Tab)
		if !b.Focused("input") {
			t.Error("Tab does not lead to the first field")
		}
		b.Press(name)
		b.Loads(func() { b.Press(kb.Enter) })
		if got := b.Text("#got"); got != name || b.URL() != "/form" {
			t.Errorf("by keyboard: %q at %s, want %q at /form", got, b.URL(), name)
		}
	}
}

func TestBrowserHarnessIsTheVisitorAskedFor(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]string{"/": `<p id="p">hello</p>`})
	const who = `[innerWidth, matchMedia("(prefers-color-scheme: dark)").matches, navigator.maxTouchPoints > 0,
		navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone].join(" ")`
	tests := map[string]browserOptions{
		"1280 false false en UTC":           {},
		"360 true true zh-CN Asia/Shanghai": {Width: 360, Height: 740, Dark: true, Mobile: true, Language: "zh-CN", Timezone: "Asia/Shanghai"},
	}
	for want, options := range tests {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			options.Server = server
			b := newBrowser(t, options)
			b.Open("/")
			if got, err := eval[string](b, who); got != want || err != nil {
				t.Errorf("the page sees %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestBrowserHarnessKeepsVisitorsApart(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]string{"/": `<p>hello</p>`})
	one, two := newBrowser(t, browserOptions{Server: server}), newBrowser(t, browserOptions{Server: server})
	one.Open("/")
	two.Open("/")
	if _, err := eval[string](one, `document.cookie = "mine=1"`); err != nil {
		t.Fatal(err)
	}
	if got, err := eval[string](two, `document.cookie`); got != "" || err != nil {
		t.Errorf("the other visitor has the cookie %q, %v", got, err)
	}
}

func TestBrowserHarnessTakesPictures(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ADMITONE_SCREENSHOTS", dir)
	b := newBrowser(t, browserOptions{Server: site(t, map[string]string{"/": `<p>hello</p>`})})
	b.Open("/")
	b.Screenshot("page")
	picture, err := os.ReadFile(filepath.Join(dir, "page.png"))
	if err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("no picture: %v", err)
	}
}
