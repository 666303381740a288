package handlers_test

import (
	"html"
	"net/http"
	"regexp"
	"testing"
	"time"

	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

const keyPage = "/account/passkeys"

var options = regexp.MustCompile(`data-options="([^"]*)"`)

// newPasskey is what a host's browser is asked for a new one.
func (v *visitor) newPasskey(name string) asks {
	v.t.Helper()
	page := v.post(keyPage+"/request", fields("password", passwords[name])).wants(http.StatusOK)
	found := options.FindStringSubmatch(page.body)
	if found == nil {
		v.t.Fatalf("nothing is asked: %s", page.body)
	}
	return asked(v.t, html.UnescapeString(found[1]))
}

// withPasskey is a host's browser and a passkey of that host.
func (b *bench) withPasskey(t *testing.T, name string) (*visitor, *securityKey) {
	t.Helper()
	v, k := b.signedIn(t, name), newSecurityKey(t, b.base, "meet.example")
	v.post(keyPage, fields("name", "Phone", "credential", k.make(t, v.newPasskey(name)))).wants(http.StatusSeeOther)
	return v, k
}

// passkey signs a fresh browser in with nothing else, or tries.
func (b *bench) passkey(t *testing.T, k *securityKey) (*visitor, answer) {
	t.Helper()
	v := b.browser(t)
	v.get("/signin").wants(http.StatusOK).says("/signin/passkey/ask")
	a := asked(t, v.post("/signin/passkey/ask", nil).wants(http.StatusOK).body)
	return v, v.post("/signin/passkey", fields("credential", k.get(t, a), "next", "/account"))
}

// ofKind counts the history's events of that kind.
func (b *bench) ofKind(t *testing.T, kind audit.Kind) (n int) {
	t.Helper()
	if err := b.Raw(t).QueryRow("SELECT COUNT(*) FROM events WHERE kind = '" + string(kind) + "'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPasskeyAloneSignsIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := b.signedIn(t, "bob")
	bob, k := b.withPasskey(t, "bob")
	bob.get(keyPage+"?did=passkey-added").wants(http.StatusOK).says("The passkey was added.", "Phone", "never used")
	elsewhere.get("/account").wants(http.StatusSeeOther) // the second factor came on
	v, got := b.passkey(t, k)
	if to := got.wants(http.StatusSeeOther).Header.Get("Location"); to != "/account" {
		t.Errorf("led to %s", to)
	}
	v.get(keyPage).wants(http.StatusOK).says("last used")
	if string(k.handle) == "bob" || len(k.handle) < 16 || b.ofKind(t, audit.PasskeyAdded) != 1 {
		t.Errorf("the handle is %q, %d events", k.handle, b.ofKind(t, audit.PasskeyAdded))
	}
	// One more passkey ends nothing, and knows the host by the same handle.
	second := newSecurityKey(t, b.base, "meet.example")
	v.post(keyPage, fields("name", "Key", "credential", second.make(t, v.newPasskey("bob")))).wants(http.StatusSeeOther)
	bob.get(keyPage).wants(http.StatusOK).says("Phone", "Key")
	if string(second.handle) != string(k.handle) {
		t.Error("the second passkey has another handle")
	}
}

func TestAPasskeyStandsInForTheCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, k := b.withPasskey(t, "bob")
	v := b.browser(t)
	password := fields("username", "bob", "password", passwords["bob"])
	if to := v.post("/signin", password).wants(http.StatusSeeOther).Header.Get("Location"); to != "/signin/code" {
		t.Fatalf("the password alone led to %s", to)
	}
	v.get("/account").wants(http.StatusSeeOther)
	v.get("/signin/code").wants(http.StatusOK).says("Use your passkey").saysNot(`name="code"`)
	v.post("/signin/code", fields("code", "000000")).wants(http.StatusUnauthorized)
	a := asked(t, v.post("/signin/code/passkey/ask", nil).wants(http.StatusOK).body)
	if ids := a.PublicKey.AllowCredentials; len(ids) != 1 || ids[0].ID != base64url.EncodeToString(k.id) || a.PublicKey.UserVerification != "required" {
		t.Errorf("asks for %+v", a.PublicKey)
	}
	v.post("/signin/code/passkey", fields("credential", k.get(t, a))).wants(http.StatusSeeOther)
	v.get("/account").wants(http.StatusOK)

	// Beside an authenticator app, whose code still does.
	code, _ := b.secure(t, "bob")
	v = b.browser(t)
	v.post("/signin", password).wants(http.StatusSeeOther)
	v.get("/signin/code").wants(http.StatusOK).says(`name="code"`, "/signin/code/passkey/ask")
	v.post("/signin/code", fields("code", code())).wants(http.StatusSeeOther)
	v.get("/account").wants(http.StatusOK)
	validating(b.nobody(t)).json("POST", users+"/token", credentials("bob"), header("X-AdmitOne-OTP", code())).wants(http.StatusOK)
}

func TestAPasskeyIsAddedAndRemovedWithThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, k := b.withPasskey(t, "bob")
	bob.post(keyPage+"/request", fields("password", "wrong-but-long")).wants(http.StatusUnprocessableEntity).says("That is not your password.")
	a := bob.newPasskey("bob")
	if a.PublicKey.Attestation != "none" && a.PublicKey.Attestation != "" {
		t.Errorf("asks for the attestation %q", a.PublicKey.Attestation)
	}
	bob.post(keyPage, fields("name", "Again", "credential", k.make(t, a))).wants(http.StatusUnprocessableEntity).says("The passkey was not added")
	fresh := newSecurityKey(t, b.base, "meet.example")
	bob.post(keyPage, fields("name", " ", "credential", fresh.make(t, bob.newPasskey("bob")))).wants(http.StatusUnprocessableEntity)
	bob.post(keyPage, fields("name", "Old", "credential", fresh.make(t, a))).wants(http.StatusUnprocessableEntity)
	foreign := newSecurityKey(t, "https://evil.example", "meet.example")
	bob.post(keyPage, fields("name", "Foreign", "credential", foreign.make(t, bob.newPasskey("bob")))).wants(http.StatusUnprocessableEntity)

	all, err := b.Hosts.Passkeys(t.Context(), "bob")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	remove := keyPage + "/" + all[0].ID.Show(hosts.PasskeyPrefix) + "/remove"
	bob.get(keyPage).wants(http.StatusOK).says("Remove", "Phone", remove)
	bob.post(remove, fields("password", "wrong-but-long")).wants(http.StatusUnprocessableEntity).says("That is not your password.")
	b.signedIn(t, "carol").post(remove, fields("password", passwords["carol"])).wants(http.StatusNotFound)
	at := bob.post(remove, fields("password", passwords["bob"])).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(at).wants(http.StatusOK).says("The passkey was removed.").saysNot("Phone")
	_, gone := b.passkey(t, k)
	gone.wants(http.StatusUnauthorized)
	b.signedIn(t, "bob").get("/account").wants(http.StatusOK) // the password alone again
}

func TestAnAdminsResetTakesPasskeysAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, k := b.withPasskey(t, "bob")
	b.signedIn(t, "alice").post("/account/second-factor/reset", fields("host", "bob")).wants(http.StatusSeeOther)
	bob.get("/account").wants(http.StatusSeeOther)
	_, gone := b.passkey(t, k)
	gone.wants(http.StatusUnauthorized)
}

func TestWhereBrowsersHaveNoPasskeysNoneAreOffered(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://meet.example", "https://192.0.2.7", "http://127.0.0.1:8080"} {
		p := hosts.NewPasskeys(nil, nil, base)
		if p.Offered() {
			t.Errorf("offered at %s", base)
		}
	}
	for _, base := range []string{"https://meet.example", "https://meet.example:8443", "http://localhost:8080"} {
		if !hosts.NewPasskeys(nil, nil, base).Offered() {
			t.Errorf("not offered at %s", base)
		}
	}
	b := setup(t, plain)
	b.browser(t).get("/signin").wants(http.StatusOK).saysNot("passkey")
	b.browser(t).post("/signin/passkey/ask", nil).wants(http.StatusNotFound)
	bob := b.signedIn(t, "bob")
	bob.get(keyPage).wants(http.StatusOK).says("There are no passkeys here", "BASE_URL").saysNot("<form class")
	bob.post(keyPage+"/request", fields("password", passwords["bob"])).wants(http.StatusNotFound)
}

func TestAPasskeyIsAskedForOnlyAfterThePasswordAndWhileItCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withPasskey(t, "bob")
	b.browser(t).post("/signin/code/passkey/ask", nil).wants(http.StatusUnauthorized)
	v := b.browser(t)
	v.post("/signin", fields("username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther)
	v.post("/signin/code/passkey/ask", nil).wants(http.StatusOK)
	b.Clock.Add(5 * time.Minute)
	v.post("/signin/code/passkey/ask", nil).wants(http.StatusUnauthorized)
	v.post("/signin/code/passkey", fields("credential", "")).wants(http.StatusUnauthorized).says("That took more than five minutes.")
}
