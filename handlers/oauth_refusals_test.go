package handlers_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/tokens/oauth"
)

// Mastodon's clients read error and error_description, and the challenge is the
// bearer's (RFC 6750, 3).
func TestWhoIsNoAppIsToldInOAuthsWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "bob")
	app := b.apps(t)
	given := app.post("/oauth/token", fields("grant_type", "client_credentials"), c.in).wants(http.StatusOK).object()["access_token"].(string)
	late := header("Authorization", "Bearer "+given)
	ended := header("Authorization", "Bearer "+app.post("/oauth/token", fields("grant_type", "client_credentials"), c.in).wants(http.StatusOK).object()["access_token"].(string))
	app.post("/oauth/revoke", fields("token", strings.TrimPrefix(headerOf(ended), "Bearer ")), c.in).wants(http.StatusOK)
	b.Clock.Add(time.Second)
	refused := func(change func(*http.Request), status int, code, reason, challenge string) {
		t.Helper()
		a := app.get(v1+"/apps/verify_credentials", change).wants(status)
		a.kept()
		said := a.object()
		got, _ := said["reason"].(string)
		if said["error"] != code || said["error_description"] == "" || said["error_uri"] != b.base+"/problems/"+code || got != reason || a.Header.Get("WWW-Authenticate") != challenge {
			t.Errorf("%d %v %s", a.StatusCode, a.Header, a.body)
		}
	}
	none := func(*http.Request) {}
	bad, over := b.invalidToken("The access token is not good, or was withdrawn."), b.invalidToken("The access token has expired.")
	refused(none, http.StatusUnauthorized, "invalid_token", "", `Bearer realm="AdmitOne"`)
	refused(header("Authorization", "Bearer nonsense"), http.StatusUnauthorized, "invalid_token", "", bad)
	refused(header("Authorization", "Bearer "+given+"x"), http.StatusUnauthorized, "invalid_token", "", bad)
	refused(ended, http.StatusUnauthorized, "invalid_token", "", bad)
	key := b.key(t, "bob", oauth.RoomsRead)
	refused(header("Authorization", key.head.Get("Authorization")), http.StatusNotFound, "invalid_request", "", "")
	refused(header("Authorization", "Bearer "+b.token(t, "bob")), http.StatusNotFound, "invalid_request", "", "")
	b.Clock.Add(oauth.AccessLife)
	refused(late, http.StatusUnauthorized, "invalid_token", "token_expired", over)
}

func headerOf(change func(*http.Request)) string {
	r := &http.Request{Header: http.Header{}}
	change(r)
	return r.Header.Get("Authorization")
}

func TestWhatTheTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.client(t, ""), b.client(t, "")
	right := fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", c.secret)
	form := func(v url.Values, pairs ...string) string {
		out := url.Values{}
		for name := range v {
			out.Set(name, v.Get(name))
		}
		return with(out, pairs...).Encode()
	}
	typed := header("Content-Type", "application/x-www-form-urlencoded")
	basic := func(text string) func(*http.Request) {
		return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(text)))
	}
	for name, tt := range map[string]struct {
		path, body   string
		change       []func(*http.Request)
		status       int
		code, reason string
	}{
		"no grant_type":           {"", form(right, "grant_type", ""), nil, 400, "invalid_request", "parameter_absent"},
		"password grant":          {"", form(right, "grant_type", "password"), nil, 400, "unsupported_grant_type", ""},
		"no code":                 {"", form(right, "grant_type", "authorization_code"), nil, 400, "invalid_request", "parameter_absent"},
		"no refresh token":        {"", form(right, "grant_type", "refresh_token"), nil, 400, "invalid_request", "parameter_absent"},
		"too wide a scope":        {"", form(right, "scope", "webhooks"), nil, 400, "invalid_scope", "parameter_rejected"},
		"an unknown scope":        {"", form(right, "scope", "read"), nil, 400, "invalid_scope", "parameter_rejected"},
		"no client":               {"", "grant_type=client_credentials", nil, 401, "invalid_client", ""},
		"an unknown client":       {"", form(right, "client_id", "app~nobody"), nil, 401, "invalid_client", ""},
		"a wrong secret":          {"", form(right, "client_secret", "wrong"), nil, 401, "invalid_client", "invalid_client_secret"},
		"another's secret":        {"", form(right, "client_secret", other.secret), nil, 401, "invalid_client", "invalid_client_secret"},
		"no secret":               {"", form(right, "client_secret", ""), nil, 401, "invalid_client", "invalid_client_secret"},
		"a wrong Basic":           {"", "grant_type=client_credentials", []func(*http.Request){basic(c.ID + ":wrong")}, 401, "invalid_client", "invalid_client_secret"},
		"Basic without a colon":   {"", "grant_type=client_credentials", []func(*http.Request){basic(c.ID)}, 401, "invalid_client", ""},
		"Basic without base64":    {"", "grant_type=client_credentials", []func(*http.Request){header("Authorization", "Basic !")}, 401, "invalid_client", ""},
		"Basic that is no form":   {"", "grant_type=client_credentials", []func(*http.Request){basic(c.ID + ":%zz")}, 401, "invalid_client", ""},
		"a bearer for the client": {"", "grant_type=client_credentials", []func(*http.Request){header("Authorization", "Bearer x")}, 401, "invalid_client", ""},
		"Basic and a secret":      {"", form(right), []func(*http.Request){c.in}, 400, "invalid_request", ""},
		"Basic of another client": {"", "grant_type=client_credentials&client_id=" + other.ID, []func(*http.Request){c.in}, 400, "invalid_request", ""},
		"Basic and an assertion":  {"", "grant_type=client_credentials&client_assertion=x", []func(*http.Request){c.in}, 400, "invalid_request", ""},
		"an assertion":            {"", "grant_type=client_credentials&client_assertion=x&client_id=" + c.ID, nil, 401, "invalid_client", ""},
		"Basic twice": {"", "grant_type=client_credentials", []func(*http.Request){c.in, func(r *http.Request) {
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}}, 400, "invalid_request", ""},
		"grant_type twice":        {"", form(right) + "&grant_type=client_credentials", nil, 400, "invalid_request", ""},
		"a secret twice":          {"", form(right) + "&client_secret=" + c.secret, nil, 400, "invalid_request", ""},
		"an unknown one twice":    {"", form(right) + "&x=1&x=2", nil, 400, "invalid_request", ""},
		"a secret in the address": {"?client_secret=" + c.secret, form(right, "client_secret", ""), nil, 400, "invalid_request", ""},
		"all in the address":      {"?" + form(right), "", nil, 400, "invalid_request", ""},
		"half an escape":          {"", form(right) + "&scope=%", nil, 400, "invalid_request", ""},
		"plain text":              {"", form(right), []func(*http.Request){header("Content-Type", "text/plain")}, 400, "invalid_request", ""},
		"no type":                 {"", form(right), []func(*http.Request){without("Content-Type")}, 400, "invalid_request", ""},
		"JSON that is a list":     {"", "[]", []func(*http.Request){header("Content-Type", "application/json")}, 400, "invalid_request", ""},
		"JSON twice the same": {"", `{"grant_type":"client_credentials","grant_type":"client_credentials"}`,
			[]func(*http.Request){header("Content-Type", "application/json")}, 400, "invalid_request", ""},
		"JSON with more behind": {"", `{"grant_type":"client_credentials"}{}`, []func(*http.Request){header("Content-Type", "application/json")}, 400, "invalid_request", ""},
		"too much":              {"", "scope=" + strings.Repeat("x", 70_000), nil, 413, "invalid_request", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := b.from(t, "127.0.9."+string(rune('1'+len(name)%9))) // guesses count by address
			a := v.do(http.MethodPost, "/oauth/token"+tt.path, tt.body, append([]func(*http.Request){typed}, tt.change...)...)
			a.fails(tt.status, tt.code, tt.reason)
		})
	}
	for _, method := range []string{"GET", "HEAD", "PUT"} {
		a := b.nobody(t).do(method, "/oauth/token?"+form(right), "").wants(http.StatusMethodNotAllowed)
		if !strings.Contains(a.Header.Get("Allow"), "POST") {
			t.Errorf("%s: Allow %q", method, a.Header.Get("Allow"))
		}
	}
}

func TestWhatACodeIsBoundTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other, open := b.client(t, "", func(d *oauth.Draft) { d.Redirects = append(d.Redirects, back+"2") }), b.client(t, ""), b.client(t, "", public)
	app := b.apps(t)
	for name, tt := range map[string]struct {
		sender client
		change []string
		reason string
	}{
		"no verifier":             {c, []string{"code_verifier", ""}, ""},
		"a wrong verifier":        {c, []string{"code_verifier", strings.Repeat("x", 43)}, ""},
		"the challenge":           {c, []string{"code_verifier", challenge}, ""},
		"no redirect_uri":         {c, []string{"redirect_uri", ""}, "invalid_callback"},
		"another redirect_uri":    {c, []string{"redirect_uri", back + "2"}, "invalid_callback"},
		"a redirect_uri's slash":  {c, []string{"redirect_uri", back + "/"}, "invalid_callback"},
		"another client":          {other, nil, ""},
		"a public client":         {open, []string{"client_id", open.ID}, ""},
		"no such code":            {c, []string{"code", "nothing"}, ""},
		"a code in another case":  {c, nil, ""},
		"a code with white space": {c, nil, ""},
	} {
		code := c.code(t, b)
		switch name {
		case "a code in another case":
			code = strings.ToLower(code)
		case "a code with white space":
			code += " "
		}
		change := []func(*http.Request){tt.sender.in}
		if tt.sender.Public {
			change = nil
		}
		sender := b.from(t, "127.0.7."+string(rune('1'+len(name)%9)))
		sender.post("/oauth/token", with(c.exchange(code), tt.change...), change...).fails(http.StatusBadRequest, "invalid_grant", tt.reason)
	}
	// Without a challenge there may be no verifier: who adds one has not begun it.
	loose := b.client(t, "")
	code := loose.code(t, b, "code_challenge", "", "code_challenge_method", "")
	app.post("/oauth/token", loose.exchange(code), loose.in).fails(http.StatusBadRequest, "invalid_grant", "")
	code = loose.code(t, b, "code_challenge", "", "code_challenge_method", "")
	app.post("/oauth/token", with(loose.exchange(code), "code_verifier", ""), loose.in).wants(http.StatusOK)

	late := c.code(t, b)
	b.Clock.Add(oauth.CodeLife)
	app.post("/oauth/token", c.exchange(late), c.in).fails(http.StatusBadRequest, "invalid_grant", "token_expired")

	twice := c.code(t, b)
	first := app.post("/oauth/token", c.exchange(twice), c.in).wants(http.StatusOK).object()
	app.post("/oauth/token", c.exchange(twice), c.in).fails(http.StatusBadRequest, "invalid_grant", "")
	app.get(v1+"/rooms", header("Authorization", "Bearer "+first["access_token"].(string))).refuses(http.StatusUnauthorized, "invalid_credentials")
	app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string)), c.in).fails(http.StatusBadRequest, "invalid_grant", "")
}

// Every refusal's page opens, and says under which names older texts know it.
func TestEveryRefusalOfOAuthHasItsPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	schema := newValidator(t).doc.Components.Schemas["OAuthError"].Value.Properties
	known := map[string]bool{}
	for _, code := range schema["error"].Value.Enum {
		page := b.nobody(t).get("/problems/"+code.(string)).wants(http.StatusOK).says(code.(string), "What it means", "What to do")
		for _, name := range schema["reason"].Value.Enum {
			known[name.(string)] = known[name.(string)] || strings.Contains(page.body, name.(string))
		}
	}
	for name, is := range known {
		if !is {
			t.Errorf("no page says %s", name)
		}
	}
	for _, code := range []string{"invalid_token", "insufficient_scope", "invalid_request"} {
		b.nobody(t).get("/problems/" + code).wants(http.StatusOK)
	}
	if !slices.Contains(schema["reason"].Value.Enum, any("invalid_callback")) {
		t.Error("the document lost a name")
	}
}
