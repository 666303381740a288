package handlers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// securityKey is an authenticator that does as it is told, also what no honest
// one does.
type securityKey struct {
	key          *ecdsa.PrivateKey
	id, handle   []byte
	count        uint32
	flags        byte
	origin, site string
}

// Bits of an authenticator's flags (WebAuthn, 6.1).
const (
	present  = 1
	verified = 4
	attested = 64
)

func newSecurityKey(t *testing.T, origin, site string) *securityKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &securityKey{key: key, id: []byte("credential " + rand.Text()), count: 1, flags: present | verified, origin: origin, site: site}
}

var base64url = base64.RawURLEncoding

// data is what it signs of itself, with its key where that is new.
func (k *securityKey) data(t *testing.T, made bool) []byte {
	t.Helper()
	site := sha256.Sum256([]byte(k.site))
	flags := k.flags
	if made {
		flags |= attested
	}
	out := binary.BigEndian.AppendUint32(append(site[:], flags), k.count)
	if !made {
		return out
	}
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	out = binary.BigEndian.AppendUint16(append(out, make([]byte, 16)...), uint16(len(k.id)))
	out = append(append(out, k.id...), 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20) // COSE: EC2, ES256, P-256
	return append(append(append(out, point[1:33]...), 0x22, 0x58, 0x20), point[33:]...)
}

// client is what the browser signs with: what it was asked, and on which page.
func (k *securityKey) client(kind, challenge string) []byte {
	text, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return text
}

// asks is what a page asks a browser.
type asks struct {
	PublicKey struct {
		Challenge   string `json:"challenge"`
		Attestation string `json:"attestation"`
		User        struct {
			ID string `json:"id"`
		} `json:"user"`
		AllowCredentials []struct {
			ID string `json:"id"`
		} `json:"allowCredentials"`
		UserVerification string `json:"userVerification"`
	} `json:"publicKey"`
}

func asked(t *testing.T, text string) (a asks) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.PublicKey.Challenge == "" {
		t.Fatalf("%q is no question: %v", text, err)
	}
	return a
}

// make answers as navigator.credentials.create does.
func (k *securityKey) make(t *testing.T, a asks) string {
	t.Helper()
	k.handle, _ = base64url.DecodeString(a.PublicKey.User.ID)
	data := k.data(t, true)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return k.answer(map[string][]byte{"clientDataJSON": k.client("webauthn.create", a.PublicKey.Challenge), "attestationObject": append(object, data...)})
}

// get answers as navigator.credentials.get does.
func (k *securityKey) get(t *testing.T, a asks) string {
	t.Helper()
	if k.count > 0 { // else it does not count
		k.count++
	}
	data, client := k.data(t, false), k.client("webauthn.get", a.PublicKey.Challenge)
	said := sha256.Sum256(client)
	sum := sha256.Sum256(append(data[:len(data):len(data)], said[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k.answer(map[string][]byte{"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": k.handle})
}

func (k *securityKey) answer(parts map[string][]byte) string {
	response := map[string]string{}
	for name, part := range parts {
		response[name] = base64url.EncodeToString(part)
	}
	id := base64url.EncodeToString(k.id)
	text, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	return string(text)
}

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

func TestAScriptCannotUseAPasskey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withPasskey(t, "bob")
	v := validating(b.nobody(t))
	v.json("POST", users+"/token", credentials("bob")).refuses(http.StatusUnauthorized, "missing_two_factor")
	v.json("POST", users+"/token", credentials("bob"), header("X-AdmitOne-OTP", "000000")).refuses(http.StatusBadRequest, "invalid_two_factor")
}

func TestAPasskeyIsRefusedThat(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(k *securityKey)
		alter  func(answer string) string
	}{
		"answers to another origin":      {change: func(k *securityKey) { k.origin = "https://evil.example" }},
		"answers to a subdomain":         {change: func(k *securityKey) { k.origin = "https://x.meet.example" }},
		"answers to plain http":          {change: func(k *securityKey) { k.origin = "http://meet.example" }},
		"is another site's":              {change: func(k *securityKey) { k.site = "evil.example" }},
		"was not unlocked":               {change: func(k *securityKey) { k.flags = present }},
		"nobody touched":                 {change: func(k *securityKey) { k.flags = verified }},
		"signs with another key":         {change: func(k *securityKey) { k.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
		"is unknown":                     {change: func(k *securityKey) { k.id = []byte("credential unknown") }},
		"names nobody":                   {change: func(k *securityKey) { k.handle = nil }},
		"names somebody who is not here": {change: func(k *securityKey) { k.handle = []byte("a handle of nobody's") }},
		"claims a new backup":            {change: func(k *securityKey) { k.flags |= 8 }},
		"is no JSON":                     {alter: func(string) string { return "x" }},
		"is nothing":                     {alter: func(string) string { return "" }},
		"answers another question": {alter: func(s string) string {
			return strings.Replace(s, `"type":"public-key"`, `"type":"password"`, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, k := b.withPasskey(t, "bob")
			if tt.change != nil {
				tt.change(k)
			}
			v := b.browser(t)
			sent := k.get(t, asked(t, v.post("/signin/passkey/ask", nil).wants(http.StatusOK).body))
			if tt.alter != nil {
				sent = tt.alter(sent)
			}
			v.post("/signin/passkey", fields("credential", sent)).wants(http.StatusUnauthorized).says("That passkey was not accepted.")
			v.get("/account").wants(http.StatusSeeOther)
			v = b.browser(t)
			v.post("/signin", fields("username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther)
			sent = k.get(t, asked(t, v.post("/signin/code/passkey/ask", nil).wants(http.StatusOK).body))
			if tt.alter != nil {
				sent = tt.alter(sent)
			}
			if name == "names nobody" {
				return // after the password it need not: who it is was said
			}
			v.post("/signin/code/passkey", fields("credential", sent)).wants(http.StatusUnauthorized).says("That passkey was not accepted.")
			v.get("/account").wants(http.StatusSeeOther)
		})
	}
}

func TestAPasskeysAnswerIsGoodOnceInItsOwnSessionAndForFiveMinutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	k := newSecurityKey(t, b.base, "meet.example")
	k.count = 0
	bob := b.signedIn(t, "bob")
	bob.post(keyPage, fields("name", "Phone", "credential", k.make(t, bob.newPasskey("bob")))).wants(http.StatusSeeOther)
	ask := func(v *visitor) asks { return asked(t, v.post("/signin/passkey/ask", nil).wants(http.StatusOK).body) }
	try := func(v *visitor, sent string, status int, says string) {
		t.Helper()
		v.post("/signin/passkey", fields("credential", sent)).wants(status).says(says)
	}
	v := b.browser(t)
	a := ask(v)
	site, _ := url.Parse(b.base)
	kept := v.client.Jar.Cookies(site)
	sent := k.get(t, a)
	try(v, sent, http.StatusSeeOther, "")
	thief := b.browser(t)
	thief.client.Jar.SetCookies(site, secureAgain(kept))
	try(thief, sent, http.StatusUnauthorized, "That passkey was not accepted.") // the very same answer and question
	try(b.browser(t), sent, http.StatusUnauthorized, "That took too long.")     // without the question

	other := b.browser(t)
	ask(other)
	try(other, k.get(t, ask(b.browser(t))), http.StatusUnauthorized, "That passkey was not accepted.") // to another's question

	late := b.browser(t)
	sent = k.get(t, ask(late))
	b.Clock.Add(5 * time.Minute)
	try(late, sent, http.StatusUnauthorized, "That took too long.")

	// A question of one page is none of another.
	half := b.browser(t)
	sent = k.get(t, ask(half))
	half.post("/signin", fields("username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther)
	half.post("/signin/code/passkey", fields("credential", sent)).wants(http.StatusUnauthorized).says("That took too long.")
	half.get("/account").wants(http.StatusSeeOther)
}

// secureAgain are cookies as a jar takes them back: it gives away names and values alone.
func secureAgain(all []*http.Cookie) []*http.Cookie {
	for _, k := range all {
		k.Secure, k.Path = true, "/"
	}
	return all
}

func TestACopiedPasskeyIsRefusedAndNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, k := b.withPasskey(t, "bob")
	k.count = 40
	_, first := b.passkey(t, k)
	first.wants(http.StatusSeeOther)
	k.count = 7
	_, copied := b.passkey(t, k)
	copied.wants(http.StatusUnauthorized).says("That passkey was not accepted.")
	if n := b.ofKind(t, audit.PasskeyCopied); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	k.count = 41
	_, again := b.passkey(t, k)
	again.wants(http.StatusSeeOther)
}

// TestStrangersKeepNoPasskeyOut: a passkey cannot be guessed, so it waits for nobody
// else's guesses.
func TestStrangersKeepNoPasskeyOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, k := b.withPasskey(t, "bob")
	for n := range 60 {
		from := hosts.From{Address: fmt.Sprintf("203.0.113.%d", n)}
		_, _ = b.app.Gate.SignIn(t.Context(), "bob", "wrong guess", "", from)
		_, _ = b.app.Gate.SignIn(t.Context(), "bob", "wrong guess", "", hosts.From{Address: "127.0.0.1"})
	}
	_, got := b.passkey(t, k)
	got.wants(http.StatusSeeOther)
}

func TestWrongPasskeysWaitAtTheirAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, k := b.withPasskey(t, "bob")
	right := k.key
	k.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for range 10 {
		_, got := b.passkey(t, k)
		got.wants(http.StatusUnauthorized)
	}
	k.key = right
	_, got := b.passkey(t, k)
	if got.wants(http.StatusTooManyRequests).Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.Clock.Add(time.Hour)
	_, got = b.passkey(t, k)
	got.wants(http.StatusSeeOther)
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
