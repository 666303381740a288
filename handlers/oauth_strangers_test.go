package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/tokens/oauth"
)

// An app that registered itself sends nobody anywhere by asking wrongly: anybody
// can have registered it (RFC 9700, 4.11.2).
func TestAStrangersAppIsNoWayToSendAHostAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const away = "https://evil.example/login"
	at := func(d *oauth.Draft) { d.Redirects = append([]string{away}, d.Redirects...) }
	c, open := b.client(t, "", at), b.client(t, "", at, public)
	bob := b.signedIn(t, "bob")
	stays := func(v *visitor, path string) {
		t.Helper()
		a := v.get(path).wants(http.StatusBadRequest).says("response_type is code.", "unsupported_response_type", "you were not sent on to it",
			`href="`+away+`?error=unsupported_response_type&amp;`, `<bdi>evil.example</bdi>`, "state=xyz")
		if a.Header.Get("Location") != "" || a.Header.Get("Cache-Control") != "no-store" || strings.Contains(a.Header.Get("Content-Security-Policy"), "evil") {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	for _, app := range []client{c, open} {
		wrong := app.asks("redirect_uri", away, "response_type", "x")
		stays(bob, wrong)
		form := with(bob.get(app.asks("redirect_uri", away)).wants(http.StatusOK).form("/oauth/authorize"), "decision", "allow", "response_type", "x")
		bob.post("/oauth/authorize", form).wants(http.StatusBadRequest).says(`href="` + away)
		bob.get(app.asks("redirect_uri", away, "scope", "read")).wants(http.StatusBadRequest).says("invalid_scope", `href="`+away)
		// Who says yes once, or no, pressed: that goes to the app, and after a yes its faults do too.
		if q := bob.answers(app.asks("redirect_uri", away), "deny").told(away); q.Get("error") != "access_denied" {
			t.Errorf("denied: told %v", q)
		}
		stays(bob, wrong)
		bob.answers(app.asks("redirect_uri", away), "allow").told(away)
		if q := bob.get(wrong).told(away); q.Get("error") != "unsupported_response_type" || q.Get("state") != "xyz" || q.Get("iss") != b.base {
			t.Errorf("allowed before: told %v", q)
		}
		stays(b.signedIn(t, "carol"), wrong)
		if err := b.app.Apps.Disallow(t.Context(), b.host(t, "bob"), app.ID); err != nil {
			t.Fatal(err)
		}
		stays(bob, wrong)
	}
	made := b.client(t, "alice", at)
	for _, v := range []*visitor{bob, b.browser(t)} {
		if q := v.get(made.asks("redirect_uri", away, "response_type", "x")).told(away); q.Get("error") != "unsupported_response_type" {
			t.Errorf("a host's app: told %v", q)
		}
	}
}

// As with Mastodon, whatever is not a no asks for the sign-in.
func TestForcedSignInIsWhateverIsNotANo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	bob := b.signedIn(t, "bob")
	bob.answers(c.asks(), "allow").told(back)
	b.Clock.Add(time.Second)
	for _, yes := range []string{"true", "1", "True", "on", "yes"} {
		if at := bob.get(c.asks("force_login", yes)).wants(http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(at, "/signin?again=true") || !strings.Contains(at, "asked_at") {
			t.Errorf("force_login=%s: led to %s", yes, at)
		}
	}
	for _, no := range []string{"false", "0", ""} {
		bob.get(c.asks("force_login", no)).told(back)
	}
}
