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
	"admitone/tokens/oauth"
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

func credentials(name string) map[string]any {
	return map[string]any{"username": name, "password": passwords[name]}
}

const users, twoFactor = v1 + "/users", v1 + "/users/me/two-factor"

func TestAScriptSignsInWithItsCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, recovery := b.secure(t, "bob")
	v := validating(b.nobody(t))
	missing := v.json("POST", users+"/token", credentials("bob")).refuses(http.StatusUnauthorized, "missing_two_factor")
	if got := missing.Header.Get("X-AdmitOne-OTP"); got != "required; app" {
		t.Errorf("X-AdmitOne-OTP is %q", got)
	}
	wrong := v.json("POST", users+"/token", credentials("bob"), header("X-AdmitOne-OTP", "000000")).refuses(http.StatusBadRequest, "invalid_two_factor")
	if got := wrong.Header.Get("X-AdmitOne-OTP"); got != "" {
		t.Errorf("with a wrong code X-AdmitOne-OTP is %q", got)
	}
	for _, name := range []string{"X-AdmitOne-OTP", "X-PeerTube-OTP", "X-PeerTube-TwoFactor"} {
		now := code()
		a := v.json("POST", users+"/token", credentials("bob"), header(name, now)).wants(http.StatusOK)
		token, _ := a.object()["access_token"].(string)
		b.nobody(t).get(v1+"/rooms", header("Authorization", "Bearer "+token)).wants(http.StatusOK)
		v.json("POST", users+"/token", credentials("bob"), header(name, now)).refuses(http.StatusBadRequest, "invalid_two_factor")
	}
	form := fields("username", "bob", "password", passwords["bob"])
	b.nobody(t).post(users+"/token", form).refuses(http.StatusUnauthorized, "missing_two_factor")
	b.nobody(t).post(users+"/token", form, header("X-AdmitOne-OTP", recovery[0])).wants(http.StatusOK)
	b.nobody(t).post(users+"/token", form, header("X-AdmitOne-OTP", recovery[0])).refuses(http.StatusBadRequest, "invalid_two_factor")

	// Who has not the password learns nothing of it.
	for _, name := range []string{"bob", "carol", "mallory"} {
		for _, sent := range []string{"", "000000", code()} {
			a := v.json("POST", users+"/token", map[string]any{"username": name, "password": "wrong-but-long"}, header("X-AdmitOne-OTP", sent))
			if a.refuses(http.StatusUnauthorized, "invalid_credentials"); a.Header.Get("X-AdmitOne-OTP") != "" {
				t.Errorf("%s: told of a code", name)
			}
		}
		b.Clock.Add(time.Hour)
	}
	v.json("POST", users+"/token", credentials("carol"), header("X-AdmitOne-OTP", "000000")).wants(http.StatusOK) // who has none needs none
}

func TestTheThreeUnauthorizedAnswersDiffer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.secure(t, "bob")
	token := b.token(t, "bob")
	b.Clock.Add(2 * time.Hour)
	got := map[string]string{}
	for what, a := range map[string]answer{
		"a missing code":  validating(b.nobody(t)).json("POST", users+"/token", credentials("bob")),
		"bad credentials": validating(b.nobody(t)).json("POST", users+"/token", map[string]any{"username": "bob", "password": "wrong-but-long"}),
		"expired":         b.nobody(t).get(v1+"/rooms", header("Authorization", "Bearer "+token)),
	} {
		a.wants(http.StatusUnauthorized)
		got[what] = fmt.Sprint(a.object()["code"], " / ", a.Header.Get("WWW-Authenticate"), " / ", a.Header.Get("X-AdmitOne-OTP"))
	}
	want := map[string]string{
		"a missing code":  `missing_two_factor / Bearer realm="AdmitOne" / required; app`,
		"bad credentials": `invalid_credentials / Bearer realm="AdmitOne" / `,
		"expired":         "token_expired / " + b.invalidToken("The access token has expired.") + " / ",
	}
	for what, say := range want {
		if got[what] != say {
			t.Errorf("%s: %s, want %s", what, got[what], say)
		}
	}
}

func TestAScriptSetsUpItsSecondFactor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v, other := validating(b.program(t, "bob")), b.program(t, "bob")
	browser := b.signedIn(t, "bob")
	password := map[string]any{"current_password": passwords["bob"]}
	v.json("POST", twoFactor+"/request", map[string]any{"current_password": "wrong-but-long"}).refuses(http.StatusUnauthorized, "invalid_credentials")
	v.json("POST", twoFactor+"/request", map[string]any{}).refuses(http.StatusUnprocessableEntity, "invalid_request")
	v.json("POST", twoFactor+"/request", map[string]any{"password": "x"}).refuses(http.StatusUnprocessableEntity, "invalid_request")
	v.json("POST", twoFactor+"/disable", password).wants(http.StatusNoContent) // it is off

	asked, _ := v.json("POST", twoFactor+"/request", password).wants(http.StatusOK).object()["otp_request"].(map[string]any)
	token, secret := fmt.Sprint(asked["request_token"]), fmt.Sprint(asked["secret"])
	if uri := fmt.Sprint(asked["uri"]); !strings.HasPrefix(uri, "otpauth://totp/AdmitOne:bob@meet.example?") || !strings.Contains(uri, "secret="+secret) || !strings.HasPrefix(fmt.Sprint(asked["qr_svg"]), "<svg ") {
		t.Fatalf("asked for one, got %v", asked)
	}
	code := b.phone(t, secret)
	confirm := func(code string) answer {
		return v.json("POST", twoFactor+"/confirm-request", map[string]any{"request_token": token, "otp_token": code})
	}
	confirm("000000").refuses(http.StatusBadRequest, "invalid_two_factor")
	confirm("").refuses(http.StatusUnprocessableEntity, "invalid_request")
	v.json("POST", twoFactor+"/confirm-request", map[string]any{"request_token": "x" + token, "otp_token": code()}).refuses(http.StatusUnprocessableEntity, "invalid_request")
	if _, on := validating(b.nobody(t)).json("POST", users+"/token", credentials("bob")).wants(http.StatusOK).object()["access_token"]; !on {
		t.Error("a second factor is asked for that was not confirmed")
	}
	done := confirm(code()).wants(http.StatusOK)
	if codes, _ := done.object()["recovery_codes"].([]any); len(codes) != 10 || done.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("confirmed, got %v", done.body)
	}
	confirm(code()).refuses(http.StatusConflict, "conflict")
	v.json("POST", twoFactor+"/request", password).refuses(http.StatusConflict, "conflict")
	other.get(v1+"/rooms").refuses(http.StatusUnauthorized, "invalid_credentials") // from the password alone
	browser.get("/").wants(http.StatusSeeOther)
	validating(b.nobody(t)).json("POST", users+"/token", credentials("bob")).refuses(http.StatusUnauthorized, "missing_two_factor")

	v.json("POST", twoFactor+"/disable", map[string]any{"current_password": "wrong-but-long"}).refuses(http.StatusUnauthorized, "invalid_credentials")
	v.json("POST", twoFactor+"/disable", password).wants(http.StatusNoContent)
	validating(b.nobody(t)).json("POST", users+"/token", credentials("bob")).wants(http.StatusOK)
	for range 30 {
		v.json("POST", twoFactor+"/request", map[string]any{"current_password": "wrong-but-long"})
	}
	v.json("POST", twoFactor+"/request", password).refuses(http.StatusTooManyRequests, "too_many_requests")
}

// TestOnlyAHostsOwnTokenReachesTheSecondFactor: neither an API key nor an app.
func TestOnlyAHostsOwnTokenReachesTheSecondFactor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h, err := b.app.Directory.ByName(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := b.app.Apps.MakeKey(t.Context(), h, "all of it", oauth.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/request", "/confirm-request", "/disable"} {
		v := validating(b.nobody(t))
		body := map[string]any{"current_password": passwords["bob"]}
		v.json("POST", twoFactor+path, body, header("Authorization", "Bearer "+key)).refuses(http.StatusForbidden, "insufficient_scope")
		v.json("POST", twoFactor+path, body, header("Authorization", "Bearer "+key+"x")).refuses(http.StatusUnauthorized, "invalid_credentials")
		v.json("POST", twoFactor+path, body).refuses(http.StatusUnauthorized, "invalid_credentials")
	}
	open := setup(t, func(b *bench) { b.app.Open, b.base = true, "http://localhost" })
	open.nobody(t).do("POST", twoFactor+"/request", `{"current_password":"x"}`, header("Host", "localhost")).refuses(http.StatusNotFound, "not_found")
	open.nobody(t).get("/account/second-factor", header("Host", "localhost")).wants(http.StatusNotFound)
}

func TestMiroTalksCallsTakeTheCodeToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, _ := b.secure(t, "bob")
	key := header("Authorization", keySecret)
	for path, body := range map[string]map[string]any{
		"/join":  {"room": "standup", "token": credentials("bob")},
		"/token": {"room": "standup", "username": "bob", "password": passwords["bob"]},
	} {
		v := validating(b.nobody(t))
		missing := v.json("POST", v1+path, body, key).refuses(http.StatusUnauthorized, "missing_two_factor")
		if missing.Header.Get("X-AdmitOne-OTP") != "required; app" || missing.object()["error"] == nil {
			t.Errorf("%s: %v %s", path, missing.Header, missing.body)
		}
		v.json("POST", v1+path, body, key, header("X-AdmitOne-OTP", "000000")).refuses(http.StatusBadRequest, "invalid_two_factor")
		v.json("POST", v1+path, body, key, header("X-PeerTube-OTP", code())).wants(http.StatusOK)
	}
	if err := b.app.Factors.Require(t.Context(), b.caller(t, "alice"), true); err != nil {
		t.Fatal(err)
	}
	validating(b.nobody(t)).json("POST", v1+"/token", credentials("carol"), key).refuses(http.StatusForbidden, "forbidden")
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

// aboutFactors are bodies with which the calls about that host's second factor
// do what they are for.
func (b *bench) aboutFactors(t *testing.T, name string) map[string]any {
	t.Helper()
	h, err := b.app.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.app.Factors.Request(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(e.Secret, b.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	password := map[string]any{"current_password": passwords[name]}
	return map[string]any{"requestTwoFactor": password, "disableTwoFactor": password,
		"confirmTwoFactor": map[string]any{"request_token": e.Token, "otp_token": code}}
}

// securing calls what is about the second factor, for each status that is documented.
func securing(t *testing.T, b *bench, r *checked) {
	t.Helper()
	bodies := b.aboutFactors(t, "bob")
	r.json("POST", twoFactor+"/request", bodies["requestTwoFactor"]).wants(http.StatusOK)
	r.json("POST", twoFactor+"/confirm-request", map[string]any{"request_token": bodies["confirmTwoFactor"].(map[string]any)["request_token"], "otp_token": "000000"}).wants(http.StatusBadRequest)
	r.json("POST", twoFactor+"/confirm-request", bodies["confirmTwoFactor"]).wants(http.StatusOK)
	r.json("POST", twoFactor+"/confirm-request", bodies["confirmTwoFactor"]).wants(http.StatusConflict)
	r.json("POST", twoFactor+"/request", bodies["requestTwoFactor"]).wants(http.StatusConflict)
	r.as(t, b.nobody(t)).json("POST", users+"/token", credentials("bob")).refuses(http.StatusUnauthorized, "missing_two_factor")
	r.json("POST", twoFactor+"/disable", bodies["disableTwoFactor"]).wants(http.StatusNoContent)
	for _, path := range []string{"/request", "/confirm-request", "/disable"} {
		r.post(twoFactor+path, "{").wants(http.StatusBadRequest)
		r.post(twoFactor+path, "{}").wants(http.StatusUnprocessableEntity)
		r.do("POST", twoFactor+path, "x", header("Content-Type", "text/plain")).wants(http.StatusUnsupportedMediaType)
		r.post(twoFactor+path, `{"current_password":"`+strings.Repeat("x", 2<<20)+`"}`).wants(http.StatusRequestEntityTooLarge)
		r.as(t, b.nobody(t)).post(twoFactor+path, "{}").wants(http.StatusUnauthorized)
	}
}
