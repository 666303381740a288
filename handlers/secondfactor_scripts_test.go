package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"admitone/tokens/oauth"
)

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
