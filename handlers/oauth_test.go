package handlers_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens/oauth"
)

func TestTheServerSaysWhatItCanDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.apps(t)
	a := app.get("/.well-known/oauth-authorization-server").wants(http.StatusOK)
	said := a.object()
	if said["issuer"] != b.base || said["token_endpoint"] != b.base+"/oauth/token" {
		t.Errorf("%s", a.body)
	}
	for name, want := range map[string]string{"code_challenge_methods_supported": "[S256]", "response_types_supported": "[code]", "grant_types_supported": "[authorization_code client_credentials refresh_token]"} {
		if got := fmt.Sprint(said[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for name, at := range said {
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" && name != "service_documentation" {
			continue
		}
		path := strings.TrimPrefix(at.(string), b.base)
		if got := b.nobody(t).do(http.MethodOptions, path, "").wants(http.StatusNoContent).Header.Get("Allow"); got == "" {
			t.Errorf("%s: %s is not there", name, path)
		}
	}
	keys := app.get("/.well-known/jwks.json").wants(http.StatusOK).says(`"keys":[`)
	if got := keys.Header.Get("Cache-Control"); got != "public, max-age=120" {
		t.Errorf("the keys: Cache-Control %q", got)
	}
}

func TestACodeBecomesTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	b.room(t, "bob", "standup")
	app := b.apps(t)
	for name, send := range map[string]func(code string) answer{
		"Basic": func(code string) answer { return app.post("/oauth/token", c.exchange(code), c.in) },
		"body": func(code string) answer {
			return app.post("/oauth/token", with(c.exchange(code), "client_id", c.ID, "client_secret", c.secret))
		},
		"JSON": func(code string) answer {
			return app.json("/oauth/token", map[string]any{"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier,
				"client_id": c.ID, "client_secret": c.secret, "scope": ""})
		},
	} {
		a := send(c.code(t, b)).wants(http.StatusOK)
		a.kept()
		said := a.object()
		if said["token_type"] != "Bearer" || said["expires_in"] != 3600.0 || said["created_at"] != float64(b.Clock.Millis()/1000) ||
			said["scope"] != "rooms:read rooms:write invitations:read offline_access" || said["refresh_token"] == "" {
			t.Errorf("%s: %s", name, a.body)
		}
		app.get(v1+"/rooms", header("Authorization", "Bearer "+said["access_token"].(string))).wants(http.StatusOK).says("standup")
		next := app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", said["refresh_token"].(string), "scope", "rooms:read"), c.in).wants(http.StatusOK).object()
		if next["scope"] != "rooms:read" || next["refresh_token"] == said["refresh_token"] {
			t.Errorf("%s: refreshed as %v", name, next)
		}
		app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", said["refresh_token"].(string)), c.in).fails(http.StatusBadRequest, "invalid_grant", "")
		app.get(v1+"/rooms", header("Authorization", "Bearer "+next["access_token"].(string))).wants(http.StatusUnauthorized) // a replay ends the family
	}
}

func TestAnAppActsByItselfForWhoMadeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup")
	of, alone, open := b.client(t, "bob"), b.client(t, ""), b.client(t, "", public)
	app := b.apps(t)
	ask := fields("grant_type", "client_credentials", "scope", "rooms:read")
	for _, c := range []client{of, alone} {
		said := app.post("/oauth/token", ask, c.in).wants(http.StatusOK).object()
		if said["refresh_token"] != nil || said["scope"] != "rooms:read" {
			t.Errorf("%v", said)
		}
		bearer := header("Authorization", "Bearer "+said["access_token"].(string))
		verified := app.get(v1+"/apps/verify_credentials", bearer).wants(http.StatusOK).object()
		if verified["id"] != c.ID || verified["client_secret"] != nil {
			t.Errorf("%v", verified)
		}
		if c.Owner == "" {
			app.get(v1+"/rooms", bearer).refuses(http.StatusForbidden, "insufficient_scope")
		} else {
			app.get(v1+"/rooms", bearer).wants(http.StatusOK).says("standup")
			app.post(v1+"/rooms/standup/reopen", nil, bearer).refuses(http.StatusForbidden, "insufficient_scope")
		}
	}
	app.post("/oauth/token", with(ask, "client_id", open.ID)).fails(http.StatusBadRequest, "unauthorized_client", "")
}

// What a token says of itself stays as it was made; what the API lets it do is
// what its app may do now.
func TestALimitedAppsTokenDoesNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup")
	c, asking := b.client(t, "bob"), b.client(t, "bob")
	app := b.apps(t)
	given := app.post("/oauth/token", c.exchange(c.code(t, b)), c.in).wants(http.StatusOK).object()
	access, refresh := given["access_token"].(string), given["refresh_token"].(string)
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])
	if err != nil || !strings.Contains(string(claims), "rooms:write") {
		t.Fatalf("%s, %v", claims, err)
	}
	bearer := header("Authorization", "Bearer "+access)
	reopen := func() answer { return app.do(http.MethodPost, v1+"/rooms/standup/reopen", "", bearer) }
	bob := b.signedIn(t, "bob")
	limit := func(scopes ...string) {
		bob.post("/account/apps/"+c.ID+"/scopes", url.Values{"scope": scopes}).wants(http.StatusSeeOther)
	}
	limit("rooms:read", "offline_access")
	reopen().refuses(http.StatusForbidden, "insufficient_scope")
	app.get(v1+"/rooms", bearer).wants(http.StatusOK)
	for _, by := range []client{c, asking} {
		for _, token := range []string{access, refresh} {
			if said := app.post("/oauth/introspect", fields("token", token), by.in).wants(http.StatusOK).object(); said["active"] != true || said["scope"] != "rooms:read offline_access" {
				t.Errorf("introspected: %v", said)
			}
		}
	}
	limit("rooms:read", "rooms:write", "offline_access")
	if a := reopen(); a.StatusCode == http.StatusForbidden {
		t.Errorf("after the limit was taken back: %s", a.body)
	}
}

func TestRevoking(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.client(t, ""), b.client(t, "")
	app := b.apps(t)
	said := app.post("/oauth/token", c.exchange(c.code(t, b)), c.in).wants(http.StatusOK).object()
	access, refresh := said["access_token"].(string), said["refresh_token"].(string)
	bearer := header("Authorization", "Bearer "+access)
	app.post("/oauth/revoke", fields("token", access), other.in).fails(http.StatusBadRequest, "unauthorized_client", "")
	app.post("/oauth/revoke", fields("token", access)).fails(http.StatusUnauthorized, "invalid_client", "")
	app.post("/oauth/revoke", nil, c.in).fails(http.StatusBadRequest, "invalid_request", "parameter_absent")
	app.get(v1+"/rooms", bearer).wants(http.StatusOK)
	for _, token := range []string{access, access, "nothing", "a.b.c"} {
		a := app.post("/oauth/revoke", fields("token", token, "token_type_hint", "strange"), c.in).wants(http.StatusOK)
		if strings.TrimSpace(a.body) != "{}" {
			t.Errorf("answered %q", a.body)
		}
	}
	app.get(v1+"/rooms", bearer).wants(http.StatusUnauthorized)
	again := app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", refresh), c.in).wants(http.StatusOK).object()
	app.json("/oauth/revoke", map[string]any{"token": again["refresh_token"], "client_id": c.ID, "client_secret": c.secret}).wants(http.StatusOK)
	app.get(v1+"/rooms", header("Authorization", "Bearer "+again["access_token"].(string))).wants(http.StatusUnauthorized)
}

func TestOverPlainHTTPNothingIsAuthorized(t *testing.T) {
	t.Parallel()
	b := setup(t, plain)
	for _, r := range []struct{ method, path string }{
		{"GET", "/.well-known/oauth-authorization-server"}, {"POST", "/oauth/token"}, {"POST", "/oauth/revoke"}, {"POST", "/oauth/introspect"}, {"POST", "/oauth/register"},
	} {
		b.nobody(t).do(r.method, r.path, "").fails(http.StatusBadRequest, "invalid_request", "unsupported_over_http")
	}
	b.nobody(t).post(v1+"/apps", nil).fails(http.StatusBadRequest, "invalid_request", "unsupported_over_http")
	b.browser(t).get("/oauth/authorize?client_id=x").wants(http.StatusBadRequest).says("asked in a way we cannot answer", "https only")
	b.key(t, "bob", oauth.RoomsRead).get(v1 + "/rooms").wants(http.StatusOK)
	b.program(t, "bob").get(v1 + "/rooms").wants(http.StatusOK)
	local := setup(t, func(b *bench) { b.base = "http://localhost:8080" })
	local.nobody(t).get("/.well-known/oauth-authorization-server").wants(http.StatusOK)
}

// TestWithoutADatabaseAppsAreToldToComeAgain: in OAuth's own words, also through
// the host's browser where the app's address was seen before.
func TestWithoutADatabaseAppsAreToldToComeAgain(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t)
	b := serve(t, datatest.On(t, cluster.Create(t)))
	c, app, bob := b.client(t, "bob"), b.apps(t), b.signedIn(t, "bob")
	bob.get(c.asks()).wants(http.StatusOK)
	cluster.Stop()
	for _, path := range []string{"/oauth/token", "/oauth/introspect", "/oauth/revoke"} {
		a := app.post(path, fields("grant_type", "client_credentials", "token", "x"), c.in)
		a.fails(http.StatusServiceUnavailable, "temporarily_unavailable", "")
		if a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}}).fails(http.StatusServiceUnavailable, "temporarily_unavailable", "")
	app.post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).fails(http.StatusServiceUnavailable, "temporarily_unavailable", "")
	bob.get(c.asks()).wants(http.StatusServiceUnavailable).says("503")
	app.get("/.well-known/oauth-authorization-server").wants(http.StatusOK)
	app.get("/.well-known/jwks.json").wants(http.StatusOK)
	cluster.Start()
	b.Clock.Add(time.Second)
	app.post("/oauth/token", fields("grant_type", "client_credentials"), c.in).wants(http.StatusOK)
}

// authorizing calls all that is for apps, as it is meant to be and as it is not.
func authorizing(t *testing.T, b *bench, r *checked) {
	t.Helper()
	nobody, bob := b.from(t, "127.0.6.1"), b.signedIn(t, "bob")
	app, c := &apps{nobody, r.as(t, nobody)}, b.client(t, "bob")
	app.get("/.well-known/oauth-authorization-server").wants(http.StatusOK)
	app.get("/.well-known/jwks.json").wants(http.StatusOK)
	insecure := setup(t, plain).nobody(t)
	(&apps{insecure, r.as(t, insecure)}).get("/.well-known/oauth-authorization-server").wants(http.StatusBadRequest)

	asking := r.as(t, bob)
	asking.get(c.asks()).wants(http.StatusOK)
	asking.get(c.asks("client_id", "app~nobody")).wants(http.StatusBadRequest)
	bob.answers(c.asks(), "allow").told(back)
	code := asking.get(c.asks()).told(back).Get("code")

	large := strings.Repeat("x", 2<<20)
	access := app.post("/oauth/token", c.exchange(code), c.in).wants(http.StatusOK).object()["access_token"].(string)
	app.post("/oauth/token", nil, c.in).wants(http.StatusBadRequest)
	app.get(v1+"/apps/verify_credentials", header("Authorization", "Bearer "+access)).wants(http.StatusOK)
	app.get(v1 + "/apps/verify_credentials").wants(http.StatusUnauthorized)
	r.get(v1 + "/apps/verify_credentials").wants(http.StatusNotFound) // a host's token
	for _, path := range []string{"/oauth/introspect", "/oauth/revoke"} {
		app.post(path, fields("token", access), c.in).wants(http.StatusOK)
		app.post(path, nil, c.in).wants(http.StatusBadRequest)
	}
	for _, path := range []string{"/oauth/token", "/oauth/introspect", "/oauth/revoke"} {
		app.post(path, fields("token", large), c.in).wants(http.StatusRequestEntityTooLarge)
		app.post(path, fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", "wrong")).wants(http.StatusUnauthorized)
	}
	for range 9 {
		app.post("/oauth/token", fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", "wrong"))
	}
	for _, path := range []string{"/oauth/token", "/oauth/introspect", "/oauth/revoke"} {
		app.post(path, fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", "wrong")).wants(http.StatusTooManyRequests)
	}
	app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}}).wants(http.StatusCreated)
	app.post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).wants(http.StatusOK)
	app.json("/oauth/register", nil).wants(http.StatusBadRequest)
	app.post(v1+"/apps", nil).wants(http.StatusBadRequest)
	app.json("/oauth/register", map[string]any{"x": large}).wants(http.StatusRequestEntityTooLarge)
	app.post(v1+"/apps", fields("x", large)).wants(http.StatusRequestEntityTooLarge)
}
