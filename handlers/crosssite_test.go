package handlers_test

import (
	"net/http"
	"testing"

	"admitone/tokens"
)

// TestEveryUnsafeRouteRefusesOtherSites is F19: a page elsewhere that makes a
// browser post is refused on every route that a cookie opens.
func TestEveryUnsafeRouteRefusesOtherSites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	inv := b.mint(t, room, tokens.Draft{})
	browser := b.signedIn(t, "bob")
	browser.get(b.short(inv)).wants(http.StatusOK)
	before := b.state(t, room)
	asked := 0
	for _, r := range b.routes(t, room.Slug, inv) {
		if !r.unsafe() || r.api() || r.oauth() {
			continue
		}
		for name, change := range map[string][]func(*http.Request){
			"cross-site":                   {header("Sec-Fetch-Site", "cross-site")},
			"same-site":                    {header("Sec-Fetch-Site", "same-site")},
			"cross-site, with our origin":  {header("Sec-Fetch-Site", "cross-site"), header("Origin", b.base)},
			"an old browser's origin":      {without("Sec-Fetch-Site"), header("Origin", "https://evil.example")},
			"an origin of another scheme":  {without("Sec-Fetch-Site"), header("Origin", "https://meet.example.evil.example")},
			"an origin of another port":    {without("Sec-Fetch-Site"), header("Origin", "https://meet.example:444")},
			"a fetch site nobody has seen": {header("Sec-Fetch-Site", "strange")},
		} {
			asked++
			got := browser.post(r.path, fields("role", "guest", "name", "x", "nonce", tokens.PageNonce("x", inv.ID)), change...)
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s → %d, want 403", r.name(), name, got.StatusCode)
			}
		}
	}
	if asked < 90 {
		t.Errorf("only %d requests", asked)
	}
	if after := b.state(t, room); after != before {
		t.Errorf("refused presses changed something:\n%s\n%s", before, after)
	}
	browser.get("/").wants(http.StatusOK) // still signed in
}

// TestEveryUnsafeRouteTakesOurOwnPages is the control: the refusals above are
// about where the press came from, and nothing else.
func TestEveryUnsafeRouteTakesOurOwnPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	for _, tt := range []struct {
		name   string
		change []func(*http.Request)
	}{
		{"same-origin", nil},
		{"a press of the user on nothing", []func(*http.Request){header("Sec-Fetch-Site", "none")}},
		{"an old browser", []func(*http.Request){without("Sec-Fetch-Site"), header("Origin", b.base)}},
		{"no browser", []func(*http.Request){without("Sec-Fetch-Site")}},
	} {
		browser := b.signedIn(t, "alice") // an admin, who may press everything
		inv := b.mint(t, room, tokens.Draft{})
		for _, r := range b.routes(t, room.Slug, inv) {
			if !r.unsafe() || r.api() || r.guest() || r.pattern == "/signin" {
				continue
			}
			if got := browser.post(r.path, fields("role", "guest", "name", "x"), tt.change...); got.StatusCode == http.StatusForbidden {
				t.Errorf("%s: %s → 403", tt.name, r.name())
			}
		}
	}
}
