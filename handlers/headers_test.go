package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// TestEveryRouteSendsTheHeadersThatProtect covers every route and method, its
// refusals too: the same addresses are asked for without credentials and with
// a method they do not have.
func TestEveryRouteSendsTheHeadersThatProtect(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.app.Ready = nil
	room := b.room(t, "bob", "bobs")
	inv := b.mint(t, room, tokens.Draft{MaxUses: 9})
	program, browser, nobody := b.program(t, "bob"), b.signedIn(t, "bob"), b.nobody(t)
	for _, r := range b.routes(t, room.Slug, inv) {
		if r.pattern == "/signout" {
			continue // it would end the browser that the other routes are asked with
		}
		protected(t, r, "allowed", ask(r, r.path, program, browser))
		protected(t, r, "nobody", ask(r, r.path, nobody, nobody))
		protected(t, r, "another method", nobody.do("PURGE", r.path, ""))
	}
	for _, path := range []string{"/nowhere", "/api/v1/nowhere", "/api", "/join/bobs/nowhere", "/i/", "/join/"} {
		protected(t, route{method: "GET", pattern: path}, "unknown", nobody.get(path))
	}
}

func protected(t *testing.T, r route, how string, a answer) {
	t.Helper()
	wants := map[string]string{"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin"}
	if r.guest() {
		wants["Referrer-Policy"], wants["Cache-Control"], wants["X-Robots-Tag"] = "no-referrer", "no-store", "noindex, nofollow"
	} else {
		wants["Referrer-Policy"] = "same-origin"
	}
	for name, want := range wants {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s (%s) → %d: %s is %q, want %q", r.name(), how, a.StatusCode, name, got, want)
		}
	}
	policy := a.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s (%s): the policy lacks %q: %s", r.name(), how, part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || len(a.Header.Values("Content-Security-Policy")) != 1 {
		t.Errorf("%s (%s): the policy is not strict: %q", r.name(), how, a.Header.Values("Content-Security-Policy"))
	}
	if r.api() && len(a.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("%s (%s) sets a cookie", r.name(), how)
	}
	if a.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s (%s) → %d", r.name(), how, a.StatusCode)
	}
	if len(a.body) > 0 && a.Header.Get("Content-Type") == "" {
		t.Errorf("%s (%s): a body without a type", r.name(), how)
	}
}

func TestNoStrictTransportWithoutTLS(t *testing.T) {
	t.Parallel()
	if got := setup(t, plain).nobody(t).get("/healthz").Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("over http: %q", got)
	}
}

func TestPagesOfHostsAreKeptByNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs", func(d *rooms.Draft) { d.StartsAt = b.Clock.Millis() }) // a date, for the calendar file
	inv := b.mint(t, room, tokens.Draft{})
	browser := b.signedIn(t, "bob")
	for _, r := range b.routes(t, room.Slug, inv) {
		if r.unsafe() || r.guest() || r.api() || !r.owned() {
			continue
		}
		want := http.StatusOK
		if strings.HasSuffix(r.pattern, "/live") || strings.HasPrefix(r.pattern, "/requests/") {
			want = http.StatusSeeOther // who reads no event stream is led to the page, and a request has its room's
		}
		if got := ask(r, r.path, browser, browser).wants(want).Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control is %q", r.name(), got)
		}
	}
}
