package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
)

func sessionOf(a answer, name string) *http.Cookie {
	for _, k := range a.Cookies() {
		if k.Name == name {
			return k
		}
	}
	return nil
}

func TestTheSessionsCookie(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cookie, device string
		secure         bool
		change         []func(*bench)
	}{
		"http":  {"session", "device", false, []func(*bench){plain}},
		"https": {"__Host-session", "__Host-device", true, nil},
	} {
		b := setup(t, tt.change...)
		a := b.browser(t).signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
		for _, wants := range []string{tt.cookie, tt.device} {
			k := sessionOf(a, wants)
			if k == nil || !k.HttpOnly || k.Secure != tt.secure || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" || strings.Contains(k.Value, "bob") {
				t.Errorf("%s: %s is %+v of %v", name, wants, k, a.Cookies())
			}
		}
	}
}

// TestASessionCannotBeFixed is F22: a cookie from before the sign-in is worth
// nothing after it, and each sign-in has a new one.
func TestASessionCannotBeFixed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const name = "__Host-session"
	planted := strings.Repeat("A", 43)
	first := sessionOf(b.nobody(t).signIn("bob", passwords["bob"], header("Cookie", name+"="+planted)).wants(http.StatusSeeOther), name)
	if first == nil || first.Value == planted {
		t.Fatalf("the planted cookie became the session: %v", first)
	}
	b.nobody(t).get("/", header("Cookie", name+"="+planted)).wants(http.StatusSeeOther)
	b.nobody(t).get("/", header("Cookie", name+"="+first.Value)).wants(http.StatusOK)

	second := sessionOf(b.nobody(t).signIn("carol", passwords["carol"], header("Cookie", name+"="+first.Value)).wants(http.StatusSeeOther), name)
	if second == nil || second.Value == first.Value {
		t.Fatalf("the second sign-in kept the cookie")
	}
	b.nobody(t).get("/", header("Cookie", name+"="+first.Value)).wants(http.StatusSeeOther) // the old one is over
	b.nobody(t).get("/", header("Cookie", name+"="+second.Value)).wants(http.StatusOK).says("carol")
}

func TestSigningOutEndsTheSessionOnTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const name = "__Host-session"
	value := sessionOf(b.nobody(t).signIn("bob", passwords["bob"]), name).Value
	mine := header("Cookie", name+"="+value)
	b.nobody(t).get("/signout", mine).wants(http.StatusSeeOther)
	b.nobody(t).do("POST", "/signout", "", mine, header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	b.nobody(t).get("/", mine).wants(http.StatusOK)
	out := b.nobody(t).do("POST", "/signout", "", mine).wants(http.StatusSeeOther)
	if k := sessionOf(out, name); out.Header.Get("Location") != "/signin" || k == nil || k.Value != "" || k.MaxAge >= 0 {
		t.Errorf("signing out leads to %s and leaves %v", out.Header.Get("Location"), k)
	}
	b.nobody(t).get("/", mine).wants(http.StatusSeeOther) // who copied the cookie is out too
	b.nobody(t).do("POST", "/signout", "").wants(http.StatusSeeOther)
}

func TestASessionEndsByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.signedIn(t, "bob")
	b.session = func() time.Time { return time.Now().Add(14*24*time.Hour - time.Minute) }
	in.get("/").wants(http.StatusOK)
	b.session = func() time.Time { return time.Now().Add(14*24*time.Hour + time.Minute) }
	in.get("/").wants(http.StatusSeeOther)
}

// TestAChangedPasswordEndsWhatItOpened: another process on the same database,
// with other HOST_USERS, is what a restart is.
func TestAChangedPasswordEndsWhatItOpened(t *testing.T) {
	t.Parallel()
	d := datatest.SQLite(t)
	b := serve(t, d)
	tokens := map[string]string{"alice": b.token(t, "alice"), "bob": b.token(t, "bob"), "carol": b.token(t, "carol")}
	cookies := map[string]string{}
	for name, password := range passwords {
		cookies[name] = sessionOf(b.nobody(t).signIn(name, password), "__Host-session").Value
	}
	again := serve(t, d, func(b *bench) { // alice as before, bob with another password, carol no more
		users := strings.Replace(hostUsers, passwords["bob"], "another-boat-for-bob", 1)
		b.app.Directory = b.directory(t, users[:strings.LastIndex(users, ",\n\t{\"username\": \"carol\"")]+"]")
	})
	for name, want := range map[string]bool{"alice": true, "bob": false, "carol": false} {
		page, call := http.StatusSeeOther, http.StatusUnauthorized
		if want {
			page, call = http.StatusOK, http.StatusOK
		}
		again.nobody(t).get("/", header("Cookie", "__Host-session="+cookies[name])).wants(page)
		a := again.nobody(t).get(v1+"/rooms", header("Authorization", "Bearer "+tokens[name])).wants(call)
		if !want {
			a.refuses(http.StatusUnauthorized, "invalid_credentials")
		}
	}
	again.browser(t).signIn("carol", passwords["carol"]).wants(http.StatusUnauthorized)
	again.browser(t).signIn("bob", passwords["bob"]).wants(http.StatusUnauthorized)
	again.browser(t).signIn("bob", "another-boat-for-bob").wants(http.StatusSeeOther)
}

func TestATokenIsNoSessionAndASessionNoToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	value := sessionOf(b.nobody(t).signIn("bob", passwords["bob"]), "__Host-session").Value
	token := b.token(t, "bob")
	b.nobody(t).get("/", header("Authorization", "Bearer "+token)).wants(http.StatusSeeOther)
	b.nobody(t).get("/", header("Cookie", "__Host-session="+token)).wants(http.StatusSeeOther)
	b.nobody(t).get(v1+"/rooms", header("Cookie", "__Host-session="+value)).wants(http.StatusUnauthorized)
	for name, bad := range map[string]string{"a session": "Bearer " + value, "nothing": "Bearer ", "no scheme": token, "Basic": "Basic " + token, "a cut token": "Bearer " + token[:len(token)-2], "a token with its signature spelt otherwise": "Bearer " + token + "="} {
		if got := b.nobody(t).get(v1+"/rooms", header("Authorization", bad)).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("%s → %d", name, got)
		}
	}
	b.nobody(t).get(v1 + "/rooms?access_token=" + token).wants(http.StatusUnauthorized)
}
