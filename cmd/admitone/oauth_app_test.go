package main

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens/oauth"
)

// redirect is where the apps of these tests are reached; nobody listens there.
const redirect = "http://127.0.0.1:9/back"

// app is a program that acts for hosts, as far as the server can tell.
type app struct {
	s          *server
	ID, Secret string
}

// everything is what a host can allow an app to do at most.
func everything() string { return oauth.Offered().String() }

// register registers an app by its own account, as Mastodon's do: it has a
// secret and need not bind its codes.
func (s *server) register(t testing.TB) app {
	t.Helper()
	a, err := s.try("", http.MethodPost, "/apps", members{"client_name": "A booking system", "redirect_uris": redirect, "scopes": everything()})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("register an app: %v %v", a, err)
	}
	return app{s, a.Get("client_id"), a.Get("client_secret")}
}

// at is the same app, as it meets another server of the fleet.
func (p app) at(s *server) app { p.s = s; return p }

// send posts a form to one of the authorization server's addresses, with the
// app's secret as Basic.
func (p app) send(t testing.TB, path string, form url.Values) answer {
	t.Helper()
	a, err := p.s.post(path, form, "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(p.ID)+":"+p.Secret)))
	if err != nil {
		t.Errorf("POST %s: %v\n%s", path, err, p.s.Log())
	}
	return a
}

// post posts a form; its error is one of the connection.
func (s *server) post(path string, form url.Values, authorization string) (answer, error) {
	r, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return s.send(r)
}

// link is where the app sends a host to be asked; the answer goes to redirect, or
// where to says.
func (p app) link(scope string, to ...string) string {
	return "/oauth/authorize?" + url.Values{"response_type": {"code"}, "client_id": {p.ID}, "redirect_uri": {append(to, redirect)[0]}, "scope": {scope}, "state": {"a state"}}.Encode()
}

// code is what the app gets when the host allows it that.
func (p app) code(t testing.TB, scope string) string {
	t.Helper()
	host := &guestBrowser{s: p.s, cookie: p.s.signedIn(t, hostName)}
	back, err := url.Parse(host.decide(t, p.link(scope), "allow"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("the app got %v, %v", back, err)
	}
	return back.Query().Get("code")
}

func exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}
}

func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// granted is what the token endpoint gave.
type granted struct{ Access, Refresh string }

// grant asks the token endpoint, which must give tokens.
func (p app) grant(t testing.TB, form url.Values) granted {
	t.Helper()
	a := p.send(t, "/oauth/token", form)
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %v", form.Get("grant_type"), a)
	}
	return granted{a.Get("access_token"), a.Get("refresh_token")}
}

// allowed is what the app gets when the host allows it all there is.
func (p app) allowed(t testing.TB) granted {
	t.Helper()
	return p.grant(t, exchange(p.code(t, everything())))
}

// refuses holds an answer of the authorization server against the refusal that
// it must be.
func refuses(t testing.TB, a answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.Get("error") != code {
		t.Errorf("got %v, want %d %s", a, status, code)
	}
}

// works tells whether the API takes a token for what a host's own would be.
func (s *server) works(t testing.TB, bearer string) bool {
	t.Helper()
	a, err := s.try(bearer, http.MethodGet, "/rooms", nil)
	if err != nil || a.Status != http.StatusOK && a.Status != http.StatusUnauthorized {
		t.Fatalf("GET /rooms: %v %v", a, err)
	}
	return a.Status == http.StatusOK
}

// ends waits until the API refuses the token, on that server. What is withdrawn
// is refused everywhere soon: no request that begins later may pass.
func (s *server) ends(t testing.TB, bearer string) {
	t.Helper()
	withdrawn := time.Now()
	until(t, "a token's end", func() bool {
		asked := time.Since(withdrawn)
		works := s.works(t, bearer)
		if works && asked > soon() {
			t.Fatalf("it worked %s after it was withdrawn", asked)
		}
		return !works
	})
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// consented is the form of a consent page, with the button pressed that allows it.
func consented(page answer) url.Values {
	_, form, _ := strings.Cut(string(page.Body), `action="/oauth/authorize"`)
	form, _, _ = strings.Cut(form, "</form>")
	fields := url.Values{"decision": {"allow"}}
	for _, m := range hiddenField.FindAllStringSubmatch(form, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	return fields
}

// decide follows an app's request for leave, presses that button where it is
// asked, and returns where it is led.
func (b *guestBrowser) decide(t testing.TB, link, button string) string {
	t.Helper()
	a := b.visit(t, http.MethodGet, link, nil)
	if a.Status == http.StatusOK {
		form := consented(a)
		form.Set("decision", button)
		a = b.visit(t, http.MethodPost, "/oauth/authorize", form)
	}
	if a.Status != http.StatusSeeOther {
		t.Fatalf("%s: %v", button, a)
	}
	return a.Header.Get("Location")
}

// oauthFleet is eachFleet for the authorization server, whose address must be
// https or this machine.
func oauthFleet(t *testing.T, test func(t *testing.T, fleet []*server)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, []*server{startServer(t)}) })
	t.Run("postgres, two instances", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + datatest.Postgres(t), "BASE_URL=https://meet.test",
			"JWT_KEY=u8Xc2TqLw5Zr7Np0Vb4Ky6Hs1Gd3Jf9M"} // gitleaks:allow
		test(t, []*server{startServer(t, env...), startServer(t, env...)})
	})
}

// makeApp makes an app of the host's own, in the dashboard.
func (s *server) makeApp(t testing.TB, scopes ...string) app {
	t.Helper()
	at, secret := s.makes(t, "/account/apps", url.Values{"name": {"The host's own"}, "redirects": {redirect}, "scope": scopes, "kind": {"confidential"}})
	return app{s, at[len("/account/apps/"):], secret}
}

// makeKey makes an API key of the host's, in the dashboard.
func (s *server) makeKey(t testing.TB, scopes ...string) string {
	t.Helper()
	_, key := s.makes(t, "/account/keys", url.Values{"name": {"A script"}, "scope": scopes})
	return key
}

// makes has the host send a form that makes a secret, and returns what the answer
// shows, and the path of what was made.
func (s *server) makes(t testing.TB, path string, form url.Values) (at, secret string) {
	t.Helper()
	host := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
	a := host.visit(t, http.MethodPost, path, form)
	m := shownSecret.FindSubmatch(a.Body)
	if a.Status != http.StatusCreated || m == nil {
		t.Fatalf("POST %s: %v", path, a)
	}
	return a.Header.Get("Location"), string(m[1])
}

// request is a request with a body, or none.
func request(t testing.TB, method, address string, body ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
