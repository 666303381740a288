package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"admitone/tokens/oauth"
)

// landing is an app's own page, at which hosts arrive with its answer.
func landing(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>App</title><main><h1>Back in the app</h1></main></html>`))
	}))
	t.Cleanup(s.Close)
	return s
}

// told is what the app heard with which the window arrived there.
func (b *browserTab) told(app string) url.Values {
	b.t.Helper()
	at := b.URL()
	u, err := url.Parse(at)
	if err != nil || !strings.HasPrefix(at, app+"/back?") {
		b.t.Fatalf("the window is at %s: %s", at, b.Text("main"))
	}
	return u.Query()
}

// A host is sent by an app, signs in, reads what is asked, says no, says yes, is
// not asked again; an app without an address gets a code to copy.
func TestBrowserConsent(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s, page := startServer(t, ladies), landing(t)
		look.Server = s.URL
		a, err := s.try("", http.MethodPost, "/apps", members{"client_name": "Bøøkings \u202eevil\u202c & Co", "website": "https://bookings.example/a/long/address/that/has/to/break/somewhere",
			"redirect_uris": []string{page.URL + "/back", oauth.OOB}, "scopes": everything()})
		if err != nil || a.Status != http.StatusOK {
			t.Fatal(a, err)
		}
		asks := func(more ...string) string {
			q := url.Values{"response_type": {"code"}, "client_id": {a.Get("client_id")}, "redirect_uri": {page.URL + "/back"}, "state": {"xyz"}, "scope": {"rooms:read rooms:write offline_access"}}
			for i := 0; i < len(more); i += 2 {
				q.Set(more[i], more[i+1])
			}
			return "/oauth/authorize?" + q.Encode()
		}
		host := newBrowser(t, look)
		host.Expect("request to another origin")
		host.Open(asks())
		host.Fill("#username", hostName)
		host.Fill("#password", hostPassword)
		host.Follow("main form button[type=submit]")
		if text := host.Text("main"); !strings.Contains(text, "asks to act for you") || !strings.Contains(text, "Make, change and close rooms") || !strings.Contains(text, "Ada Lovelace") {
			t.Fatalf("asked: %s", text)
		}
		host.seen(name + "-consent")
		host.Follow("main button[value=deny]")
		if q := host.told(page.URL); q.Get("error") != "access_denied" || q.Get("state") != "xyz" || q.Get("iss") != s.Base {
			t.Errorf("denied, the app heard %v", q)
		}
		host.Open(asks())
		host.Follow("main button[value=allow]")
		first := host.told(page.URL)
		if first.Get("code") == "" || first.Get("state") != "xyz" {
			t.Errorf("allowed, the app heard %v", first)
		}
		host.Open(asks())
		if q := host.told(page.URL); q.Get("code") == "" || q.Get("code") == first.Get("code") {
			t.Errorf("the second time, the app heard %v", q)
		}

		// Another browser signs in, and is led straight on to the app.
		other := newBrowser(t, look)
		other.Expect("request to another origin")
		other.Open(asks())
		other.Fill("#username", hostName)
		other.Fill("#password", hostPassword)
		other.Follow("main form button[type=submit]")
		if other.told(page.URL).Get("code") == "" {
			t.Error("no code after the sign-in")
		}
		other.Open(asks("force_login", "true"))
		if !strings.HasPrefix(other.URL(), "/signin?") {
			t.Errorf("made to sign in again at %s", other.URL())
		}

		host.Open(asks("redirect_uri", oauth.OOB))
		host.seen(name + "-consent-code")
		host.Follow("main button[value=allow]")
		if code := host.Value("#code"); len(code) < 40 || strings.Contains(host.URL(), code) {
			t.Errorf("the code is %q at %s", code, host.URL())
		}
		host.seen(name + "-code")
		host.Open(asks("redirect_uri", oauth.OOB))
		host.Follow("main button[value=deny]")
		host.seen(name + "-denied")

		host.Open(asks("redirect_uri", "https://evil.example/back"))
		if host.Status() != http.StatusBadRequest {
			t.Errorf("a foreign address is answered %d", host.Status())
		}
		host.seen(name + "-not-asked")
		host.Follow(`main a[href^="/problems/"]`)
		host.seen(name + "-problem")
		host.Open(asks("scope", "invitations:host redeem", "lang", "zh-CN"))
		if text := host.Text("main"); !strings.Contains(text, "请求代表您操作") {
			t.Errorf("asked in Chinese: %s", text)
		}
		host.seen(name + "-consent-zh")
		host.Open(asks("client_id", "app~nobody"))
		host.seen(name + "-not-asked-zh")
	})
}
