package handlers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

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
