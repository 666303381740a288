package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/rooms/hosts"
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
