package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestWithoutSignInThereIsNothingToSecure: with HOST_USER_AUTH=false programs on
// this machine need neither key nor leave, and nobody has a password to stand in
// for. The keys that sign invitations are the machine's own, and stay.
func TestWithoutSignInThereIsNothingToSecure(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.base, b.app.Open = "http://localhost:8080", true })
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	local, ours := b.nobody(t), header("Sec-Fetch-Site", "same-origin")
	gone := 0
	for _, r := range b.routes(t, "standup", inv) {
		none := false
		for _, at := range []string{"/account/sessions", "/account/second-factor", "/account/passkeys", "/account/apps/", "/account/keys/", "/oauth/", "/.well-known/oauth", "/api/v1/apps", "/api/v1/users/me/"} {
			none = none || strings.HasPrefix(r.pattern, at) || r.unsafe() && (r.pattern == "/account/keys" || r.pattern == "/account/apps")
		}
		if !none {
			continue
		}
		gone++
		if got := local.do(r.method, r.path, "", ours).StatusCode; got != http.StatusNotFound {
			t.Errorf("%s → %d", r.name(), got)
		}
	}
	if gone < 25 {
		t.Errorf("only %d routes", gone)
	}
	for _, at := range []string{"/account/keys", "/account/apps"} {
		local.get(at).wants(http.StatusOK).says("need no key")
	}
	before := local.get("/.well-known/jwks.json").wants(http.StatusOK).body
	local.post("/account/signing-keys/rotate", nil, header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	local.post("/account/signing-keys/rotate", nil, ours, header("Host", "evil.example")).wants(http.StatusForbidden)
	local.post("/account/signing-keys/rotate", nil, ours, header("X-Forwarded-For", "127.0.0.1")).wants(http.StatusForbidden)
	if local.get("/.well-known/jwks.json").body != before {
		t.Error("the keys were rotated")
	}
	local.post("/account/signing-keys/rotate", nil, ours).wants(http.StatusSeeOther)
	local.get("/.well-known/jwks.json", header("Host", "evil.example")).wants(http.StatusForbidden)
}
