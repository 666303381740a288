package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"admitone/rooms/audit"
	"admitone/tokens/keys"
	"admitone/tokens/oauth"
)

var secretShown = regexp.MustCompile(`id="secret" value="([^"]+)"`)

// makeApp makes an app on the page and returns the address of its page and its secret.
func makeApp(t *testing.T, v *visitor, form url.Values) (page, secret string) {
	t.Helper()
	made := v.post("/account/apps", form).wants(http.StatusCreated)
	return made.Header.Get("Location"), made.showsOnce()
}

// showsOnce is the secret in the answer to a form that made it, which is in no
// cookie and kept nowhere; "" where there is none.
func (a answer) showsOnce() string {
	a.t.Helper()
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		a.t.Errorf("Cache-Control %q", got)
	}
	m := secretShown.FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	for name, values := range a.Header {
		if strings.Contains(strings.Join(values, " "), m[1]) || name == "Set-Cookie" {
			a.t.Errorf("%s: %s", name, values)
		}
	}
	if strings.Count(a.body, m[1]) != 1 {
		a.t.Errorf("the secret stands %d times on the page", strings.Count(a.body, m[1]))
	}
	return m[1]
}

func booking() url.Values {
	return url.Values{"name": {"Booking"}, "website": {"https://booking.example"}, "redirects": {"https://booking.example/back\r\n\r\ncom.example.app:/back\r\n"},
		"kind": {"confidential"}, "scope": {"rooms:read", "invitations:read"}}
}

// appID is the id in the address of an app's page.
func appID(page string) string { return page[strings.LastIndexByte(page, '/')+1:] }

func TestAHostMakesLimitsAndRemovesApps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, carol, alice := b.signedIn(t, "bob"), b.signedIn(t, "carol"), b.signedIn(t, "alice")
	page, secret := makeApp(t, bob, booking())
	c, err := b.app.Apps.Authenticate(t.Context(), appID(page), secret)
	if err != nil || c.Owner != "bob" || len(c.Redirects) != 2 || c.Redirects[1] != "com.example.app:/back" || c.Scopes.String() != "rooms:read invitations:read" {
		t.Fatalf("%+v, %v", c, err)
	}
	bob.get(page).wants(http.StatusOK).says("https://booking.example/back", appID(page), "Remove <bdi>Booking").saysNot(secret)

	// Only its maker and admins know it.
	alice.get("/account/apps").wants(http.StatusOK).says(page)
	alice.get(page).wants(http.StatusOK).saysNot(secret)
	carol.get("/account/apps").wants(http.StatusOK).saysNot(page, "All other apps")
	for _, do := range []string{"/scopes", "/secret", "/remove", "/withdraw"} {
		carol.post(page+do, url.Values{"scope": {"redeem"}}).wants(http.StatusNotFound)
	}
	carol.get(page).wants(http.StatusNotFound)

	bob.post(page+"/scopes", nil).wants(http.StatusUnprocessableEntity).says(`id="scopes-wrong"`)
	bob.post(page+"/scopes", url.Values{"scope": {"rooms:read"}}).wants(http.StatusSeeOther)
	if c, _ := b.app.Apps.Authenticate(t.Context(), appID(page), secret); c.Scopes.String() != "rooms:read" {
		t.Errorf("it may %s", c.Scopes)
	}

	again := bob.post(page+"/secret", nil).wants(http.StatusOK).says(`data-at="`+page+`"`, "https://booking.example/back")
	fresh := again.showsOnce()
	if _, err := b.app.Apps.Authenticate(t.Context(), appID(page), secret); err == nil || fresh == "" {
		t.Error("the former secret is good")
	} else if _, err := b.app.Apps.Authenticate(t.Context(), appID(page), fresh); err != nil {
		t.Errorf("the new one: %v", err)
	}
	bob.get(page).wants(http.StatusOK).saysNot(fresh)
	if to := bob.get(page + "/secret").wants(http.StatusSeeOther).Header.Get("Location"); to != page { // reloaded without a script
		t.Errorf("leads to %s", to)
	}

	bob.post(page+"/remove", nil).wants(http.StatusSeeOther)
	bob.get(page).wants(http.StatusNotFound)
	bob.get("/account/apps?did=app-removed").wants(http.StatusOK).saysNot(page).says("The app was removed")
}

func TestAPublicAppHasNoSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	form := booking()
	form.Set("kind", "public")
	page, secret := makeApp(t, bob, form)
	if secret != "" {
		t.Errorf("its secret is %s", secret)
	}
	bob.get(page).wants(http.StatusOK).saysNot("/secret")
	bob.post(page+"/secret", nil).wants(http.StatusNotFound)
}

func TestAppsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	for name, tt := range map[string]struct{ field, value, says string }{
		"no name":           {"name", " ", `id="app-name-wrong"`},
		"no website":        {"website", "javascript:alert(1)", `id="app-website-wrong"`},
		"http elsewhere":    {"redirects", "http://booking.example/back", `id="app-redirects-wrong"`},
		"a fragment":        {"redirects", "https://booking.example/back#x", `id="app-redirects-wrong"`},
		"one of two is bad": {"redirects", "https://booking.example/back\njavascript:x", `id="app-redirects-wrong"`},
		"no scope":          {"scope", "", `id="scopes-wrong"`},
	} {
		t.Run(name, func(t *testing.T) {
			a := bob.post("/account/apps", with(booking(), tt.field, tt.value)).wants(http.StatusUnprocessableEntity).says(tt.says, "<details class=\"more after\" open")
			if tt.field != "name" {
				a.says(`value="Booking"`)
			}
		})
	}
	bob.post("/account/apps", with(booking(), "redirects", " \r\n", "kind", "public")).wants(http.StatusUnprocessableEntity).
		says(`id="app-redirects-wrong"`, "needs a redirect address", `value="public" checked`)
	if apps, err := b.app.Apps.Apps(t.Context(), b.host(t, "bob")); err != nil || len(apps) != 0 {
		t.Errorf("%d apps, %v", len(apps), err)
	}
}

func TestAHostWithdrawsWhatAnAppWasAllowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, carol, alice := b.signedIn(t, "bob"), b.signedIn(t, "carol"), b.signedIn(t, "alice")
	c, secret, err := b.app.Apps.Register(t.Context(), nil, oauth.Draft{Name: "Stranger", Redirects: []string{"https://s.example/"}, Scopes: "rooms:read rooms:write"})
	if err != nil || secret == "" {
		t.Fatal(err)
	}
	page := "/account/apps/" + c.ID
	carol.get(page).wants(http.StatusNotFound)
	alice.get("/account/apps").wants(http.StatusOK).says(page, "Registered by itself")
	app := func(host string) *visitor {
		asked, err := b.app.Apps.Ask(t.Context(), oauth.Request{ClientID: c.ID, ResponseType: "code", Scope: "rooms:write"})
		if err != nil {
			t.Fatal(err)
		}
		code, err := b.app.Apps.Allow(t.Context(), b.host(t, host), asked)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.app.Apps.Exchange(t.Context(), c, code, "", "")
		if err != nil {
			t.Fatal(err)
		}
		v := b.nobody(t)
		v.head.Set("Authorization", "Bearer "+got.Access)
		return v
	}
	forBob, forCarol := app("bob"), app("carol")
	json := header("Content-Type", "application/json")
	forBob.do("POST", v1+"/rooms", `{"name":"Bobs","slug":"bobs"}`, json).wants(http.StatusCreated)
	forCarol.do("POST", v1+"/rooms", `{"name":"Carols","slug":"carols"}`, json).wants(http.StatusCreated)

	bob.get("/account/apps").wants(http.StatusOK).says(page, "Make, change and close rooms", "Allowed since")
	bob.get(page).wants(http.StatusOK).says("What you allowed", "/rooms/bobs", "for bob", "<b><bdi>Stranger</bdi></b> (app)").saysNot("carol", page+"/remove")
	carol.get(page).wants(http.StatusOK).says("/rooms/carols").saysNot("bob", page+"/remove")
	alice.get(page).wants(http.StatusOK).says("/rooms/carols", "/rooms/bobs", page+"/remove").saysNot("What you allowed")
	bob.get("/rooms/bobs/history").wants(http.StatusOK).says("<b><bdi>Stranger</bdi></b> (app)")

	bob.post(page+"/withdraw", nil).wants(http.StatusSeeOther)
	bob.get("/account/apps?did=app-withdrawn").wants(http.StatusOK).saysNot(page)
	forBob.get(v1 + "/rooms").wants(http.StatusUnauthorized)
	forCarol.do("POST", v1+"/rooms", `{"name":"Shared","slug":"shared"}`, json).wants(http.StatusCreated)
	bob.get(page).wants(http.StatusNotFound)
	bob.get("/rooms/bobs/history").wants(http.StatusOK).says("<b><bdi>Stranger</bdi></b> (app)")
}

func TestAdminsRotateTheSigningKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, alice := b.signedIn(t, "bob"), b.signedIn(t, "alice")
	bob.get("/account/signing-keys").wants(http.StatusNotFound)
	bob.post("/account/signing-keys/rotate", nil).wants(http.StatusNotFound)
	alice.get("/account").says("/account/signing-keys")
	alice.get("/account/signing-keys").wants(http.StatusOK).says("HS256", "Invitations", "Make new keys")

	if to := alice.post("/account/signing-keys/rotate", nil).wants(http.StatusSeeOther).Header.Get("Location"); to != "/account/signing-keys?did=rotated" {
		t.Errorf("leads to %s", to)
	}
	alice.get("/account/signing-keys?did=rotated").wants(http.StatusOK).says("New keys begin", "next", "No link breaks").saysNot("Make new keys")
	if to := alice.post("/account/signing-keys/rotate", nil).wants(http.StatusSeeOther).Header.Get("Location"); to != "/account/signing-keys?did=rotating" {
		t.Errorf("leads to %s", to)
	}
	var who string
	if err := b.Raw(t).QueryRowContext(t.Context(), `SELECT actor FROM events WHERE kind = $1`, string(audit.KeysRotated)).Scan(&who); err != nil || who != "alice" {
		t.Errorf("on the record is %q, %v", who, err)
	}
	b.Clock.Add(keys.Lead)
	alice.get("/account/signing-keys").wants(http.StatusOK).says("former", "Make new keys")
}

// TestAnAdminReadsTenThousandAppsByPages: hosts see their own and those they
// allowed, however many others there are.
func TestAnAdminReadsTenThousandAppsByPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, foreign := b.client(t, "alice"), b.client(t, "bob")
	if _, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO oauth_clients (id, name, website, redirects, scopes, public, pkce, owner, credential, secret_hash, created_at, used_at, ended_at)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT 'app~n' || i, 'Many', '', '', '', 0, 0, '', '', 'h', $2 - i / 3, 0, 0 FROM n`,
		10_000, b.Clock.Millis()-1); err != nil {
		t.Fatal(err)
	}
	alice, bob := b.signedIn(t, "alice"), b.signedIn(t, "bob")
	bob.get("/account/apps").wants(http.StatusOK).says(foreign.ID).saysNot("Many", "Earlier apps", own.ID)
	bob.get("/account/apps?after=1-app~n1").wants(http.StatusOK).saysNot("Many")
	seen, at := map[string]bool{}, "/account/apps"
	for range 4 {
		a := alice.get(at).wants(http.StatusOK).says("Earlier apps")
		if first := at == "/account/apps"; strings.Contains(a.body, own.ID) != first || strings.Contains(a.body, foreign.ID) != first || len(a.body) > 200_000 {
			t.Errorf("%s: %d bytes:\n%.2000s", at, len(a.body), a.body)
		}
		for _, link := range a.links("/account/apps/app~") {
			if seen[link] {
				t.Errorf("%s is there twice", link)
			}
			seen[link] = true
		}
		at = a.links("/account/apps?after=")[0]
	}
	if len(seen) != 4*50+1 {
		t.Errorf("%d apps on four pages", len(seen))
	}
	alice.get("/account/apps/app~n9999").wants(http.StatusOK).says("Many")
	bob.get("/account/apps/app~n9999").wants(http.StatusNotFound)
	for _, bad := range []string{"x", "1-", "1", "-app~n1", "1-app~N1", "1-app~n1%27", "1-app~n1%00", "99999999999999999999-app~n1"} {
		alice.get("/account/apps?after=" + bad).wants(http.StatusNotFound)
	}
}
