package handlers_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"admitone/rooms"
	"admitone/rooms/hosts"
)

// secure gives the host a second factor; what it returns is the app's code of now,
// in a step of its own each time, and the recovery codes.
func (b *bench) secure(t *testing.T, name string) (code func() string, recovery []string) {
	t.Helper()
	h, err := b.app.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.app.Factors.Request(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	code = b.phone(t, e.Secret)
	if recovery, err = b.app.Factors.Confirm(t.Context(), h, e.Token, code(), hosts.Kept{}); err != nil {
		t.Fatal(err)
	}
	return code, recovery
}

// phone is an authenticator app with that secret.
func (b *bench) phone(t *testing.T, secret string) func() string {
	return func() string {
		t.Helper()
		b.Clock.Add(time.Minute)
		code, err := totp.GenerateCode(secret, b.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
}

func TestTheSignInPageAsksForTheCodeAfterThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, recovery := b.secure(t, "bob")
	const name = "__Host-session"
	v := b.browser(t)
	v.get("/signin/code").wants(http.StatusSeeOther) // nobody's password was right
	half := v.post("/signin", fields("username", "bob", "password", passwords["bob"], "next", "/account?x=1")).wants(http.StatusSeeOther)
	to := half.Header.Get("Location")
	if to != "/signin/code?next=%2Faccount%3Fx%3D1" {
		t.Fatalf("led to %s", to)
	}
	if sessionOf(half, "__Host-device") != nil {
		t.Error("a device is known by its password alone")
	}
	cookie := sessionOf(half, name).Value
	page := v.get(to).wants(http.StatusOK).says(`autocomplete="one-time-code"`, `inputmode="numeric"`, "Your password was right").saysNot("bob")
	// Half a sign-in opens nothing else.
	for _, path := range []string{"/", "/account", "/account/second-factor", "/rooms/standup", "/live", "/oauth/authorize"} {
		if a := v.get(path); a.StatusCode == http.StatusOK {
			t.Errorf("GET %s → %d", path, a.StatusCode)
		}
	}
	if n := len(b.signIns(t, "bob")); n != 0 {
		t.Errorf("%d sign-ins are listed", n)
	}
	form := page.form("/signin/code")
	v.post("/signin/code", with(form, "code", "000000")).wants(http.StatusUnauthorized).says("That code is wrong")
	v.post("/signin/code", with(form, "code", "")).wants(http.StatusUnauthorized).says("That code is wrong")
	in := v.post("/signin/code", with(form, "code", code())).wants(http.StatusSeeOther)
	if to := in.Header.Get("Location"); to != "/account?x=1" {
		t.Errorf("led on to %s", to)
	}
	if k := sessionOf(in, name); k == nil || k.Value == cookie {
		t.Error("the session was not renewed at the second factor")
	}
	v.get("/").wants(http.StatusOK)
	v.get("/signin/code").wants(http.StatusSeeOther)
	b.nobody(t).get("/", header("Cookie", name+"="+cookie)).wants(http.StatusSeeOther) // the half's cookie is worth nothing

	two := b.browser(t)
	two.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	two.post("/signin/code", fields("code", recovery[0])).wants(http.StatusSeeOther)
	two.get("/").wants(http.StatusOK)
	v.get("/").says("Signed in on a new device")

	away := b.browser(t)
	away.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	if to := away.post("/signout", nil).wants(http.StatusSeeOther).Header.Get("Location"); to != "/signin" {
		t.Errorf("signing out led to %s", to)
	}
	away.post("/signin/code", fields("code", code())).wants(http.StatusUnauthorized).says("Please sign in again")

	slow := b.browser(t)
	slow.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	b.Clock.Add(5 * time.Minute)
	slow.post("/signin/code", fields("code", code(), "next", "/account")).wants(http.StatusUnauthorized).says("more than five minutes", `value="/account"`)
	slow.get("/").wants(http.StatusSeeOther)

	// Another host's password in a browser where one is signed in leaves nobody signed in.
	carol := b.signedIn(t, "carol")
	carol.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	carol.get("/").wants(http.StatusSeeOther)
}

func (b *bench) signIns(t *testing.T, name string) []hosts.SignIn {
	t.Helper()
	all, err := b.app.Sessions.SignIns(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGuessingCodesOnThePageWaitsAndTheOwnerDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, _ := b.secure(t, "bob")
	owner := b.browser(t)
	owner.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	owner.post("/signin/code", fields("code", code())).wants(http.StatusSeeOther)
	thief := b.from(t, "127.0.4.1")
	half := sessionOf(thief.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther), "__Host-session").Value
	for i := range 11 {
		v := b.from(t, fmt.Sprintf("127.0.4.%d", i+1))
		a := v.post("/signin/code", fields("code", "000000"), header("Cookie", "__Host-session="+half))
		if want := http.StatusUnauthorized; i < 10 && a.StatusCode != want || i == 10 && (a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "") {
			t.Fatalf("guess %d → %d", i+1, a.StatusCode)
		}
	}
	validating(b.from(t, "127.0.4.50")).json("POST", users+"/token", credentials("bob"), header("X-AdmitOne-OTP", "000000")).refuses(http.StatusTooManyRequests, "too_many_requests")
	owner.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	owner.post("/signin/code", fields("code", code())).wants(http.StatusSeeOther)
	owner.get("/").wants(http.StatusOK)
}

var recoveryCode = regexp.MustCompile(`<li>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</li>`)

func TestAHostSetsUpUsesAndTurnsOffASecondFactor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v, other := b.signedIn(t, "bob"), b.signedIn(t, "bob")
	const at = "/account/second-factor"
	v.get("/account").wants(http.StatusOK).says("Your password alone lets you in", `href="`+at+`"`)
	ask := v.get(at).wants(http.StatusOK).says("your password alone lets nobody in").saysNot("Everybody").form(at + "/request")
	v.post(at+"/request", with(ask, "password", "wrong-but-long")).wants(http.StatusUnprocessableEntity).says("That is not your password")
	setup := v.post(at+"/request", with(ask, "password", passwords["bob"])).wants(http.StatusOK).says("data:image/svg+xml;base64,")
	form := setup.form(at + "/confirm")
	secret := strings.ReplaceAll(regexp.MustCompile(`translate="no">([A-Z2-7 ]+)<`).FindStringSubmatch(setup.body)[1], " ", "")
	code := b.phone(t, secret)
	wrong := v.post(at+"/confirm", with(form, "code", "000000")).wants(http.StatusBadRequest).says("That code is wrong", "data:image/svg")
	form = wrong.form(at + "/confirm")
	v.post(at+"/confirm", fields("request_token", "x", "code", code())).wants(http.StatusUnprocessableEntity).says("Please begin again")
	shown := v.post(at+"/confirm", with(form, "code", code())).wants(http.StatusOK).says("Your recovery codes")
	codes := recoveryCode.FindAllStringSubmatch(shown.body, -1)
	if len(codes) != 10 || shown.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d recovery codes are shown", len(codes))
	}
	v.get(at).wants(http.StatusOK).says("10 recovery codes are left").saysNot(codes[0][1], secret)
	other.get("/").wants(http.StatusSeeOther)
	v.get("/account").wants(http.StatusOK).says("Your second factor is on")
	if n := len(b.signIns(t, "bob")); n != 1 {
		t.Errorf("%d sign-ins are listed", n)
	}
	v.post(at+"/confirm", with(form, "code", code())).wants(http.StatusConflict)

	v.post(at+"/codes", fields("password", "x")).wants(http.StatusUnprocessableEntity)
	fresh := v.post(at+"/codes", fields("password", passwords["bob"])).wants(http.StatusOK)
	if again := recoveryCode.FindAllStringSubmatch(fresh.body, -1); len(again) != 10 || again[0][1] == codes[0][1] {
		t.Errorf("new codes: %v", again)
	}
	v.post(at+"/disable", fields("password", "x")).wants(http.StatusUnprocessableEntity)
	off := v.post(at+"/disable", fields("password", passwords["bob"])).wants(http.StatusSeeOther).Header.Get("Location")
	v.get(off).wants(http.StatusOK).says("The second factor is off")
	b.signedIn(t, "bob").get("/").wants(http.StatusOK)
	for range 30 {
		v.post(at+"/request", fields("password", "x"))
	}
	v.post(at+"/request", fields("password", passwords["bob"])).wants(http.StatusTooManyRequests).says("Too many tries")
}

func TestAHostWhoMustHaveOneCanDoNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const at = "/account/second-factor"
	alice, bob, script := b.signedIn(t, "alice"), b.signedIn(t, "bob"), b.program(t, "bob")
	b.room(t, "bob", "standup")
	bob.post(at+"/require", fields("required", "true")).wants(http.StatusForbidden)
	bob.post(at+"/reset", fields("host", "carol")).wants(http.StatusForbidden)
	alice.get(at).wants(http.StatusOK).says("Each host decides", "bob", "carol")
	alice.post(at+"/require", fields("required", "true")).wants(http.StatusSeeOther)
	b.Clock.Add(time.Second)

	for _, path := range []string{"/", "/account", "/rooms/standup", "/live"} {
		if to := bob.get(path).wants(http.StatusSeeOther).Header.Get("Location"); to != at {
			t.Errorf("GET %s leads to %s", path, to)
		}
	}
	bob.post("/rooms", fields("name", "x")).wants(http.StatusSeeOther)
	if _, err := b.Rooms.Store.BySlug(t.Context(), "x"); err == nil {
		t.Error("a room was made")
	}
	script.get(v1+"/rooms").refuses(http.StatusForbidden, "forbidden")
	next := b.signedIn(t, "carol")
	next.get("/").wants(http.StatusSeeOther)
	bob.get("/", header("HX-Request", "true")).wants(http.StatusForbidden)

	page := bob.get(at).wants(http.StatusOK).says("A second factor is required here").saysNot("Everybody")
	setup := bob.post(at+"/request", with(page.form(at+"/request"), "password", passwords["bob"])).wants(http.StatusOK)
	secret := strings.ReplaceAll(regexp.MustCompile(`translate="no">([A-Z2-7 ]+)<`).FindStringSubmatch(setup.body)[1], " ", "")
	bob.post(at+"/confirm", with(setup.form(at+"/confirm"), "code", b.phone(t, secret)())).wants(http.StatusOK).says("Your recovery codes")
	bob.get("/rooms/standup").wants(http.StatusOK)

	// A script can set it up, too.
	asked, _ := validating(b.program(t, "carol")).json("POST", twoFactor+"/request", map[string]any{"current_password": passwords["carol"]}).wants(http.StatusOK).object()["otp_request"].(map[string]any)
	if asked["secret"] == nil {
		t.Error("no secret")
	}

	// An admin who has none either is led the same way, and resets when that is done.
	alice.get(at).wants(http.StatusOK).says("A second factor is required here")
	b.secure(t, "alice")
	code, _ := b.secure(t, "carol")
	carol := b.browser(t)
	carol.signIn("carol", passwords["carol"]).wants(http.StatusSeeOther)
	carol.post("/signin/code", fields("code", code())).wants(http.StatusSeeOther)
	if err := b.app.Factors.Reset(t.Context(), b.caller(t, "alice"), "bob"); err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(time.Second)
	bob.get("/").wants(http.StatusSeeOther)
	if to := b.browser(t).signIn("bob", passwords["bob"]).wants(http.StatusSeeOther).Header.Get("Location"); to != "/" {
		t.Errorf("after the reset the password alone leads to %s", to)
	}
}

func TestASignInWithTheFactorAsksTheDatabaseAndNotItsMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.app.Directory.All(t.Context()); err != nil { // remembers hosts without factors
		t.Fatal(err)
	}
	other := hosts.SecondFactors{Directory: b.directory(t, hostUsers), Store: b.Hosts, Now: b.Clock.Now}
	h, err := other.Directory.ByName(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	e, err := other.Request(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	now, err := totp.GenerateCode(e.Secret, b.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Confirm(t.Context(), h, e.Token, now, hosts.Kept{SignIn: rooms.ID(1)}); err != nil {
		t.Fatal(err)
	}
	validating(b.nobody(t)).json("POST", users+"/token", credentials("bob")).refuses(http.StatusUnauthorized, "missing_two_factor")
}
