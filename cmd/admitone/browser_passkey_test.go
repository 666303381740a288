package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// securityKey is an authenticator in a window of the browser, which is unlocked
// and touched whenever a page asks.
type securityKey struct {
	b  *browserTab
	id webauthn.AuthenticatorID
}

func newSecurityKey(b *browserTab) *securityKey {
	b.t.Helper()
	k := &securityKey{b: b}
	k.do("plug an authenticator in", func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		got, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		k.id = got.AuthenticatorID
		return err
	})
	return k
}

func (k *securityKey) do(what string, f func(ctx context.Context, tab *chromedp.Target) error) {
	k.b.t.Helper()
	k.b.do(what, chromedp.Func(f))
}

// unlocks says whether its owner is recognised.
func (k *securityKey) unlocks(yes bool) {
	k.b.t.Helper()
	k.do("recognise the owner, or not", func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: k.id, IsUserVerified: yes})
		return err
	})
}

// addCredential is webauthn.AddCredential without the members that a plain
// authenticator refuses, whatever their value.
var addCredential = cdp.Command[addCredentialParams, cdp.Empty]{Method: webauthn.CommandAddCredential}

type addCredentialParams struct {
	AuthenticatorID webauthn.AuthenticatorID `json:"authenticatorId"`
	Credential      plainCredential          `json:"credential"`
}

type plainCredential struct {
	CredentialID         []byte  `json:"credentialId"`
	IsResidentCredential bool    `json:"isResidentCredential"`
	RpID                 string  `json:"rpId"`
	PrivateKey           []byte  `json:"privateKey"`
	UserHandle           []byte  `json:"userHandle"`
	SignCount            float64 `json:"signCount"`
}

// setCount replaces its one passkey by a copy that has signed that often.
func (k *securityKey) setCount(n float64) {
	k.b.t.Helper()
	k.do("copy the passkey", func(ctx context.Context, tab *chromedp.Target) error {
		got, err := cdp.Call(ctx, tab, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id})
		if err != nil || len(got.Credentials) != 1 {
			k.b.t.Errorf("it holds %d passkeys, want 1", len(got.Credentials))
			return err
		}
		copied := got.Credentials[0]
		if _, err := cdp.Call(ctx, tab, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: k.id}); err != nil {
			return err
		}
		_, err = cdp.Call(ctx, tab, addCredential, addCredentialParams{k.id, plainCredential{copied.CredentialID, true, copied.RpID, copied.PrivateKey, copied.UserHandle, n}})
		return err
	})
}

func (b *browserTab) says(text string) {
	b.t.Helper()
	if main := b.Text("main"); !strings.Contains(main, text) {
		b.t.Fatalf("%s does not say %q: %s", b.URL(), text, main)
	}
}

const signOutForm = `form[action="/signout"]`

func (b *browserTab) signOut() {
	b.t.Helper()
	b.Loads(func() {
		if _, err := eval[int](b, `document.querySelector('`+signOutForm+` button').click(), 1`); err != nil {
			b.t.Fatal(err)
		}
	})
}

// A passkey's life: made after the password, the only thing one signs in with,
// instead of a code after the password, copied and refused, removed.
func TestBrowserPasskey(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		b := newBrowser(t, look)
		key := newSecurityKey(b)

		b.signIn()
		b.Open("/account")
		b.Follow(`main a[href="/account/passkeys"]`)
		b.seen(name + "-passkeys-none")
		b.Fill("#request-password", hostPassword)
		b.Follow(`form[action="/account/passkeys/request"] button`)
		b.seen(name + "-passkey-new")
		b.Fill("#passkey-name", "Ada’s phone")
		b.Follow(`form[data-passkey] button`)
		b.says("The passkey was added.")
		b.seen(name + "-passkeys")
		b.Open("/account")
		b.says("Your second factor is on.")

		b.signOut()
		b.seen(name + "-signin-passkey")
		b.Follow(`form[action="/signin/passkey"] button`)
		b.Open("/account/passkeys")
		b.says("last used")

		b.signOut()
		key.unlocks(false)
		b.Click(`form[action="/signin/passkey"] button`)
		b.WaitVisible(`form[action="/signin/passkey"] [data-failed]`)
		b.seen(name + "-signin-passkey-failed")
		key.unlocks(true)

		b.signIn()
		if b.URL() != "/signin/code" {
			t.Fatalf("the password alone led to %s", b.URL())
		}
		b.seen(name + "-code-passkey")
		b.Follow(`form[action="/signin/code/passkey"] button`)
		b.Open("/account")

		b.signOut()
		key.setCount(0)
		b.Follow(`form[action="/signin/passkey"] button`)
		if b.Status() != http.StatusUnauthorized {
			t.Errorf("the copy: status %d", b.Status())
		}
		b.says("That passkey was not accepted.")
		b.seen(name + "-signin-passkey-refused")
		key.setCount(100)
		b.Open("/signin")
		b.Follow(`form[action="/signin/passkey"] button`)

		b.Open("/account/passkeys")
		b.Click(`main details summary`)
		b.Fill(`main details input[type=password]`, hostPassword)
		b.seen(name + "-passkey-remove")
		b.Follow(`main details button`)
		b.says("The passkey was removed.")
		b.signOut()
		b.signIn()
		b.Open("/account/passkeys")
		b.says("Add a passkey")
	})
}

func TestBrowserWithoutScriptShowsNoPasskeyForm(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	b := newBrowser(t, browserOptions{Server: s.URL, NoScript: true})
	b.Open("/signin")
	if strings.Contains(b.Text("main"), "passkey") {
		t.Errorf("a form that cannot work: %s", b.Text("main"))
	}
}
