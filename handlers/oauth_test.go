package handlers_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

const (
	back = "https://app.example/back"
	// A verifier and its challenge, out of RFC 7636, appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// client is an app with its secret, which that host made, or nobody.
type client struct {
	oauth.Client
	secret string
}

func (b *bench) client(t *testing.T, maker string, change ...func(*oauth.Draft)) client {
	t.Helper()
	d := oauth.Draft{Name: "Bookings", Redirects: []string{back}, Scopes: "rooms:read rooms:write invitations:read offline_access"}
	for _, c := range change {
		c(&d)
	}
	var by *hosts.Host
	if maker != "" {
		h := b.host(t, maker)
		by = &h
	}
	c, secret, err := b.app.Apps.Register(t.Context(), by, d)
	if err != nil {
		t.Fatal(err)
	}
	return client{c, secret}
}

// apps is a program, every exchange of which openapi.json describes.
type apps struct {
	*visitor
	held *checked
}

func (b *bench) apps(t *testing.T) *apps {
	t.Helper()
	v := b.nobody(t)
	return &apps{v, validating(v)}
}

func (v *apps) do(method, path, body string, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.held.do(method, path, body, change...)
}

func (v *apps) get(path string, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", change...)
}

func (v *apps) post(path string, form url.Values, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.do(http.MethodPost, path, form.Encode(), append([]func(*http.Request){header("Content-Type", "application/x-www-form-urlencoded")}, change...)...)
}

func (v *apps) json(path string, members map[string]any) answer {
	v.t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(http.MethodPost, path, string(text), header("Content-Type", "application/json"))
}

func public(d *oauth.Draft) { d.Public = true }

func oob(d *oauth.Draft) { d.Redirects = append(d.Redirects, oauth.OOB) }

// asks is the address at which a host is asked, with some parameters typed over;
// one typed over with "" is left out.
func (c client) asks(pairs ...string) string {
	q := fields("response_type", "code", "client_id", c.ID, "redirect_uri", back, "state", "xyz", "code_challenge", challenge, "code_challenge_method", "S256")
	with(q, pairs...)
	for name := range q {
		if q.Get(name) == "" {
			q.Del(name)
		}
	}
	return "/oauth/authorize?" + q.Encode()
}

// answers presses a button of the consent page at that address.
func (v *visitor) answers(path, decision string) answer {
	v.t.Helper()
	return v.post("/oauth/authorize", with(v.get(path).wants(http.StatusOK).form("/oauth/authorize"), "decision", decision))
}

// told is what a redirect tells the app that listens at that address.
func (a answer) told(at string) url.Values {
	a.t.Helper()
	a.wants(http.StatusSeeOther)
	to := a.Header.Get("Location")
	rest, ok := strings.CutPrefix(to, at+"?")
	q, err := url.ParseQuery(rest)
	if !ok || err != nil {
		a.t.Fatalf("led to %q, want %s?…", to, at)
	}
	return q
}

// code is a code that bob allowed the app.
func (c client) code(t *testing.T, b *bench, pairs ...string) string {
	t.Helper()
	bob := b.signedIn(t, "bob")
	a := bob.get(c.asks(pairs...))
	if a.StatusCode == http.StatusOK { // not allowed before
		a = bob.answers(c.asks(pairs...), "allow")
	}
	code := a.told(back).Get("code")
	if code == "" {
		t.Fatal("no code")
	}
	return code
}

func (c client) exchange(code string) url.Values {
	return fields("grant_type", "authorization_code", "code", code, "redirect_uri", back, "code_verifier", verifier)
}

// in is for do: the client's HTTP Basic, both parts form-encoded (RFC 6749, 2.3.1).
func (c client) in(r *http.Request) {
	r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.secret))
}

// fails fails the test unless that is an OAuth refusal as it should be, and
// returns it.
func (a answer) fails(status int, code, reason string) map[string]any {
	a.t.Helper()
	a.wants(status)
	said := a.object()
	description, _ := said["error_description"].(string)
	got, _ := said["reason"].(string)
	if said["error"] != code || got != reason || said["error_uri"] != a.Request.URL.Scheme+"://"+a.Request.URL.Host+"/problems/"+code || description == "" || strings.Trim(description, printable) != "" {
		a.t.Errorf("%s %s → %s, want %s (%s)", a.Request.Method, a.Request.URL.Path, a.body, code, reason)
	}
	a.kept()
	if challenge := a.Header.Get("WWW-Authenticate"); (status == http.StatusUnauthorized) != strings.HasPrefix(challenge, "Basic ") {
		a.t.Errorf("%d with WWW-Authenticate %q", status, challenge)
	}
	return said
}

// kept fails the test unless nobody may keep the answer.
func (a answer) kept() {
	a.t.Helper()
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
		a.t.Errorf("Cache-Control %q, Pragma %q", a.Header.Get("Cache-Control"), a.Header.Get("Pragma"))
	}
}

// printable is what error_description may hold (RFC 6749, 5.2).
var printable = func() string {
	var b strings.Builder
	for r := ' '; r <= '~'; r++ {
		if r != '"' && r != '\\' {
			b.WriteRune(r)
		}
	}
	return b.String()
}()

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

// Guesses of links and tokens are counted by client and address; what is ours is
// told however many went before, also when it is over.
func TestGuessesAtIntrospectionAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.client(t, "bob"), b.client(t, "bob")
	app := b.apps(t)
	given := app.post("/oauth/token", c.exchange(c.code(t, b)), c.in).wants(http.StatusOK).object()
	access, refresh := given["access_token"].(string), given["refresh_token"].(string)
	app.post("/oauth/revoke", fields("token", refresh), c.in).wants(http.StatusOK)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	foreign := b.mint(t, b.room(t, "carol", "carols"), tokens.Draft{})
	good, used := b.Invitations.Links.Code(inv.ID), b.Invitations.Links.Code(foreign.ID)
	ask := func(by client, token string) answer {
		return app.post("/oauth/introspect", fields("token", token), by.in)
	}
	guesses := []string{"nothing", good[:len(good)-1], access[:len(access)-2], "a.b.c", strings.Repeat("x", 64), used[:20] + "x" + used[21:]}
	for i := range 10 {
		if said := ask(c, guesses[i%len(guesses)]).wants(http.StatusOK).object(); said["active"] != false || len(said) != 1 {
			t.Errorf("%v", said)
		}
	}
	for _, guess := range guesses {
		slow := ask(c, guess)
		slow.fails(http.StatusTooManyRequests, "too_many_requests", "")
		if slow.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	for range 20 {
		if said := ask(c, good).wants(http.StatusOK).object(); said["active"] != true {
			t.Errorf("%v", said)
		}
		for _, over := range []string{access, refresh, used} { // ours, and nothing to tell of them
			if said := ask(c, over).wants(http.StatusOK).object(); said["active"] != false {
				t.Errorf("%v", said)
			}
		}
	}
	ask(other, "nothing").wants(http.StatusOK)
	b.from(t, "127.0.6.1").post("/oauth/introspect", fields("token", "nothing"), c.in).wants(http.StatusOK)
	app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", "x"), c.in).fails(http.StatusBadRequest, "invalid_grant", "") // counted apart
	b.Clock.Add(10 * time.Second)
	ask(c, "nothing").wants(http.StatusOK)
	ask(c, "nothing").wants(http.StatusTooManyRequests)
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

func TestGuessersOfSecretsWaitAndTheRightOneDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	ask := func(secret string) answer {
		return b.nobody(t).post("/oauth/token", fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", secret))
	}
	for range 10 {
		ask("wrong").fails(http.StatusUnauthorized, "invalid_client", "invalid_client_secret")
	}
	slow := ask("wrong")
	slow.fails(http.StatusTooManyRequests, "too_many_requests", "")
	if slow.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 20 {
		ask(c.secret).wants(http.StatusOK) // at the guesser's own address
	}
	ask("wrong").wants(http.StatusTooManyRequests)
	b.from(t, "127.0.4.1").post("/oauth/token", fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", "wrong")).wants(http.StatusUnauthorized)
	for i := range 12 { // invented apps share a count
		a := b.from(t, "127.0.4.2").post("/oauth/token", fields("grant_type", "client_credentials", "client_id", "app~"+strings.Repeat("x", i+1), "client_secret", "x"))
		if want := map[bool]int{true: 401, false: 429}[i < 10]; a.StatusCode != want {
			t.Errorf("invented app %d → %d, want %d", i+1, a.StatusCode, want)
		}
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
