package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"admitone/tokens/oauth"
)

var shownSecret = regexp.MustCompile(`id="(?:secret|code)" value="([^"]+)"`)

// appsOf has apps and keys made, allowed, used, mistaken and withdrawn. What is
// shown once stands on that page and on no other.
func appsOf(t *testing.T, s *server, known secrets, host *visitor) {
	t.Helper()
	once := secrets{}
	tell := func(what, secret string) {
		t.Helper()
		if len(secret) < 20 {
			t.Fatalf("no %s in %q", what, secret)
		}
		known.add(what, secret)
		once.add(what, secret)
	}
	made := func(status int, what, path string, form url.Values) (at, secret string) {
		t.Helper()
		a := host.ask(status, http.MethodPost, path, form.Encode())
		m := shownSecret.FindSubmatch(a.Body)
		if m == nil {
			t.Fatalf("no %s is shown at %s", what, path)
		}
		tell(what, string(m[1]))
		return a.Header.Get("Location"), string(m[1])
	}
	host.ask(http.StatusUnprocessableEntity, http.MethodPost, "/account/keys", url.Values{"name": {"Grace's key"}}.Encode())
	_, key := made(http.StatusCreated, "API key", "/account/keys", url.Values{"name": {"Grace's key"}, "scope": {"rooms:read"}})
	at, secret := made(http.StatusCreated, "client's secret", "/account/apps", url.Values{"name": {"Grace's app"}, "redirects": {redirect + "\n" + oauth.OOB},
		"scope": {"rooms:read", "invitations:read", "offline_access"}})
	_, anew := made(http.StatusOK, "client's secret", at+"/secret", url.Values{})
	own := app{s, at[len("/account/apps/"):], anew}

	keyed := &visitor{t: t, s: s, known: known, bearer: key}
	keyed.ask(http.StatusOK, http.MethodGet, "/api/v1/rooms", "")
	keyed.ask(http.StatusForbidden, http.MethodPost, "/api/v1/rooms", `{"name":"No"}`)
	keyed.ask(http.StatusUnauthorized, http.MethodGet, "/api/v1/rooms", "", "Authorization: Bearer "+key[:len(key)-1])

	stranger := &visitor{t: t, s: s, known: known}
	tell("client's secret", stranger.ask(http.StatusCreated, http.MethodPost, "/oauth/register", fmt.Sprintf(`{"client_name":"Itself","redirect_uris":[%q]}`, redirect)).Get("client_secret"))
	tell("client's secret", stranger.ask(http.StatusOK, http.MethodPost, "/api/v1/apps", fmt.Sprintf(`{"client_name":"Mastodon's","redirect_uris":%q}`, redirect)).Get("client_secret"))

	tokensOf(t, s, known, host, own, tell)
	stranger.ask(http.StatusUnauthorized, http.MethodPost, "/oauth/token", withSecret(own, secret, url.Values{"grant_type": {"client_credentials"}}).Encode())
	oob := host.ask(http.StatusOK, http.MethodGet, own.link("rooms:read", oauth.OOB), "")
	code := shownSecret.FindSubmatch(host.ask(http.StatusOK, http.MethodPost, "/oauth/authorize", consented(oob).Encode()).Body)
	if code == nil {
		t.Fatal("no code is shown")
	}
	tell("code", string(code[1]))

	for _, path := range []string{"/account/keys", "/account/apps", at, "/account", "/", own.link("rooms:read", oauth.OOB)} {
		if found := once.in(string(host.ask(http.StatusOK, http.MethodGet, path, "").Body), ""); found != nil {
			t.Errorf("%s shows %q again", path, found)
		}
	}
	for _, route := range []string{"/oauth/token", "/oauth/authorize", "/account/keys"} { // what is searched later tells of this
		if !strings.Contains(s.Log(), route) {
			t.Errorf("the log knows nothing of %s", route)
		}
	}
	host.ask(http.StatusSeeOther, http.MethodPost, at+"/remove", "")
	stranger.ask(http.StatusUnauthorized, http.MethodPost, "/oauth/token", withSecret(own, own.Secret, url.Values{"grant_type": {"client_credentials"}}).Encode())
}

// withSecret is a form as an app sends it that puts its secret there.
func withSecret(p app, secret string, form url.Values) url.Values {
	form.Set("client_id", p.ID)
	form.Set("client_secret", secret)
	return form
}

// tokensOf gets codes and tokens for the app, uses them, puts them where they
// do not belong, and ends them.
func tokensOf(t *testing.T, s *server, known secrets, host *visitor, p app, tell func(what, secret string)) {
	t.Helper()
	program := &visitor{t: t, s: s, known: known}
	post := func(want int, path string, form url.Values) answer {
		t.Helper()
		return program.ask(want, http.MethodPost, path, withSecret(p, p.Secret, form).Encode())
	}
	leave := func() string {
		t.Helper()
		a := host.ask(http.StatusSeeOther, http.MethodPost, "/oauth/authorize", consented(host.ask(http.StatusOK, http.MethodGet, p.link("rooms:read offline_access")+"&force_login=false", "")).Encode())
		back, err := url.Parse(a.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		tell("code", back.Query().Get("code"))
		return back.Query().Get("code")
	}
	grant := func(form url.Values) granted {
		t.Helper()
		a := post(http.StatusOK, "/oauth/token", form)
		tell("access token", a.Get("access_token"))
		tell("refresh token", a.Get("refresh_token"))
		return granted{a.Get("access_token"), a.Get("refresh_token")}
	}
	code := leave()
	first := grant(exchange(code))
	second := grant(refresh(first.Refresh))
	for _, token := range []string{second.Access, second.Refresh} {
		post(http.StatusOK, "/oauth/introspect", url.Values{"token": {token}})
		for _, path := range []string{"/nowhere/" + token, "/oauth/" + token, "/api/v1/nowhere?access_token=" + token, "/problems/" + token} {
			program.ask(http.StatusNotFound, http.MethodGet, path, "", "User-Agent: "+token, "Referer: https://app.example/"+token)
		}
		post(http.StatusBadRequest, "/oauth/token?refresh_token="+token, url.Values{})
		host.ask(http.StatusBadRequest, http.MethodGet, "/oauth/authorize?client_id="+token+"&client_secret="+p.Secret+"&code="+code, "")
	}
	app := &visitor{t: t, s: s, known: known, bearer: second.Access}
	app.ask(http.StatusOK, http.MethodGet, "/api/v1/rooms", "")
	app.ask(http.StatusOK, http.MethodGet, "/api/v1/apps/verify_credentials", "")
	app.ask(http.StatusForbidden, http.MethodPost, "/api/v1/rooms", `{"name":"No"}`)
	app.ask(http.StatusUnauthorized, http.MethodGet, "/api/v1/rooms", "", "Authorization: Bearer "+second.Access[:len(second.Access)-2])
	post(http.StatusOK, "/oauth/revoke", url.Values{"token": {second.Access}})
	app.ask(http.StatusUnauthorized, http.MethodGet, "/api/v1/rooms", "")
	post(http.StatusBadRequest, "/oauth/token", refresh(first.Refresh))
	post(http.StatusBadRequest, "/oauth/token", exchange(code))
	post(http.StatusBadRequest, "/oauth/token", exchange(leave()+"x"))
}
