package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (v *visitor) signIn(name, password string, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.post("/signin", fields("username", name, "password", password), change...)
}

// TestWrongSignInsLookAlike is F25: neither text nor status tells a name that
// exists from one that does not.
func TestWrongSignInsLookAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := validating(b.nobody(t))
	page := func(name, password string) string {
		a := b.browser(t).signIn(name, password).wants(http.StatusUnauthorized).says("do not belong together")
		if len(a.Cookies()) != 0 {
			t.Errorf("%s: a cookie for a wrong sign-in", name)
		}
		return strings.ReplaceAll(a.anonymous(), `value="`+name+`"`, "")
	}
	call := func(name, password string) string {
		a := r.json("POST", v1+"/users/token", map[string]any{"username": name, "password": password}).refuses(http.StatusUnauthorized, "invalid_credentials")
		if a.Header.Get("WWW-Authenticate") != `Bearer realm="AdmitOne"` {
			t.Errorf("WWW-Authenticate is %q", a.Header.Get("WWW-Authenticate"))
		}
		return a.anonymous()
	}
	if known, unknown := page("bob", "wrong-but-long"), page("mallory", "wrong-but-long"); known != unknown {
		t.Errorf("pages differ:\n%s\n%s", known, unknown)
	}
	if known, unknown := call("bob", "wrong-but-long"), call("mallory", passwords["bob"]); known != unknown {
		t.Errorf("problems differ:\n%s\n%s", known, unknown)
	}
	b.browser(t).signIn("bob", passwords["alice"]).wants(http.StatusUnauthorized)
	b.browser(t).signIn("BOB", passwords["bob"]).wants(http.StatusSeeOther) // names have no case
}

// TestGuessersWaitAndTheOwnerDoesNot is F23.
func TestGuessersWaitAndTheOwnerDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner := b.signedIn(t, "bob") // at 127.0.0.1, which is known now, and so is the browser
	for i := range 11 {
		a := b.from(t, fmt.Sprintf("127.0.3.%d", i+1)).signIn("bob", "a wrong guess")
		if want := http.StatusUnauthorized; i < 10 && a.StatusCode != want || i == 10 && a.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("guess %d → %d", i+1, a.StatusCode)
		}
	}
	slow := b.from(t, "127.0.3.50").signIn("bob", passwords["bob"]).wants(http.StatusTooManyRequests)
	wait, err := strconv.Atoi(slow.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 90 {
		t.Errorf("Retry-After is %q", slow.Header.Get("Retry-After"))
	}
	b.from(t, "127.0.0.1").signIn("bob", passwords["bob"]).wants(http.StatusSeeOther) // the known address
	moved := b.from(t, "127.0.3.51")                                                  // the known browser, elsewhere
	moved.client.Jar = owner.client.Jar
	moved.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	forged := b.from(t, "127.0.3.52")
	forged.signIn("bob", passwords["bob"], header("Cookie", "__Host-device="+strings.Repeat("0", 32))).wants(http.StatusTooManyRequests)
	b.from(t, "127.0.3.53").signIn("carol", passwords["carol"]).wants(http.StatusSeeOther) // another account
	b.Clock.Add(time.Duration(wait) * time.Second)
	b.from(t, "127.0.3.54").signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
}

// TestWhereASignInLeads is F21: to a path of ours, never to another site.
func TestWhereASignInLeads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.signedIn(t, "bob")
	for next, want := range map[string]string{
		"":                              "/",
		"/rooms/standup?state=pending":  "/rooms/standup?state=pending",
		"/invitations/inv_1":            "/invitations/inv_1",
		"https://evil.example/":         "/",
		"//evil.example/":               "/",
		"///evil.example/":              "/",
		`/\evil.example/`:               "/",
		`\\evil.example/`:               "/",
		"/\tevil.example":               "/",
		"\t//evil.example":              "/",
		"/\r\nSet-Cookie: a=b":          "/",
		"https:evil.example":            "/",
		"javascript:alert(1)":           "/",
		"evil.example":                  "/",
		"?next=//evil.example":          "/",
		"/%0d%0aSet-Cookie:%20a=b":      "/%0d%0aSet-Cookie:%20a=b",
		"/..//evil.example":             "/..//evil.example", // browsers keep it on this host
		"http://meet.example@evil.test": "/",
	} {
		if got := in.get("/signin?next=" + url.QueryEscape(next)).wants(http.StatusSeeOther).Header.Get("Location"); got != want {
			t.Errorf("already signed in, next %q leads to %q, want %q", next, got, want)
		}
		base, _ := url.Parse(b.base)
		if to, err := base.Parse(want); err != nil || to.Host != base.Host {
			t.Errorf("the row for %q is wrong: %v", next, to)
		}
	}
	out := b.browser(t)
	form := out.get("/rooms/standup?state=pending").wants(http.StatusSeeOther)
	if to := form.Header.Get("Location"); to != "/signin?next=%2Frooms%2Fstandup%3Fstate%3Dpending" {
		t.Fatalf("signed out, led to %s", to)
	}
	page := out.get(form.Header.Get("Location")).wants(http.StatusOK).form("/signin")
	wrong := out.post("/signin", with(page, "username", "bob", "password", "wrong-but-long")).wants(http.StatusUnauthorized).form("/signin")
	if wrong.Get("username") != "bob" || wrong.Get("password") != "" || wrong.Get("next") != "/rooms/standup?state=pending" {
		t.Errorf("after a wrong password the form holds %v", wrong)
	}
	right := out.post("/signin", with(wrong, "password", passwords["bob"])).wants(http.StatusSeeOther)
	if to := right.Header.Get("Location"); to != "/rooms/standup?state=pending" {
		t.Errorf("signing in led to %s", to)
	}
	evil := b.browser(t).post("/signin", fields("username", "bob", "password", passwords["bob"], "next", "//evil.example")).wants(http.StatusSeeOther)
	if to := evil.Header.Get("Location"); to != "/" {
		t.Errorf("a posted next led to %s", to)
	}
}
