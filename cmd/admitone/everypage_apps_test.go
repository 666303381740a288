package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"admitone/tokens/oauth"
)

// entrust lets programs act for the host: a key with a past, and an app.
func (w *world) entrust(t *testing.T) {
	t.Helper()
	host := w.at(w.host)
	if a := host.visit(t, http.MethodPost, "/account/keys", url.Values{"name": {hebrew + " é"}, "scope": {"rooms:read", "invitations:write"}}); a.Status != http.StatusCreated {
		t.Fatalf("no key is made: %v", a)
	}
	page := w.at(w.host).visit(t, http.MethodGet, "/account/keys", nil)
	w.key = string(regexp.MustCompile(`/account/keys/key_[0-9a-z]+`).Find(page.Body))
	made := w.at(w.host).visit(t, http.MethodPost, "/account/apps", url.Values{"name": {"Böoking " + endless[:160]}, "website": {"https://booking.example/"},
		"redirects": {"https://booking.example/back"}, "kind": {"confidential"}, "scope": {"rooms:read", "offline_access"}})
	if w.app = made.Header.Get("Location"); made.Status != http.StatusCreated || w.key == "" {
		t.Fatalf("no app is made: %v", made)
	}
	a, err := w.try("", http.MethodPost, "/apps", members{"client_name": "Bøøkings \u202eevil\u202c & Co", "redirect_uris": []string{"https://stranger.example/back", oauth.OOB}, "scopes": everything()})
	if w.stranger = a.Get("client_id"); w.stranger == "" {
		t.Fatal(a, err)
	}
}

// appPages are those about what acts for hosts, and about signing.
func (w *world) appPages() []met {
	asks := func(client, redirect, scope string) string {
		return "/oauth/authorize?" + url.Values{"client_id": {client}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {scope},
			"code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("c", 43)}}.Encode()
	}
	const elsewhere = "https://stranger.example/back"
	return []met{
		{"consent", w.host, asks(strings.TrimPrefix(w.app, "/account/apps/"), "https://booking.example/back", "rooms:read offline_access"), 200, nil, ""},
		{"consent-of-nobody", w.host, asks(w.stranger, elsewhere, everything()), 200, nil, ""},
		{"consent-unsent", w.host, asks(w.stranger, elsewhere, "everything there is"), 400, nil, ""},
		{"consent-denied", w.host, asks(w.stranger, oauth.OOB, "rooms:read"), 200, func(b *browserTab) { b.Follow("main button[value=deny]") }, ""},
		{"consent-code", w.helper, asks(w.stranger, oauth.OOB, "rooms:read"), 200, func(b *browserTab) {
			if b.Count("main button[value=allow]") > 0 { // asked once, in whichever language comes first
				b.Follow("main button[value=allow]")
			}
		}, ""},
		{"consent-unknown-app", w.host, "/oauth/authorize?client_id=nobody&response_type=code", 400, nil, ""},
		{"keys", w.host, "/account/keys", 200, nil, ""},
		{"keys-none", w.newcomer, "/account/keys", 200, nil, ""},
		{"keys-made", w.helper, "/account/keys", 201, func(b *browserTab) {
			b.Fill("#key-name", "Skrípt")
			b.Follow("main form button.main")
		}, ""},
		{"keys-refused", w.newcomer, "/account/keys", 422, func(b *browserTab) { b.post("/account/keys", "name", "") }, ""},
		{"key", w.host, w.key, 200, nil, ""},
		{"keys-removed", w.newcomer, "/account/keys?did=key-removed", 200, nil, ""},
		{"apps", w.host, "/account/apps", 200, nil, ""},
		{"apps-none", w.newcomer, "/account/apps?did=app-withdrawn", 200, nil, ""},
		{"apps-refused", w.newcomer, "/account/apps", 422, func(b *browserTab) { b.post("/account/apps", "name", "x") }, ""},
		{"app", w.host, w.app, 200, nil, ""},
		{"app-secret", w.host, w.app, 200, func(b *browserTab) { b.Follow(`main form[action$="/secret"] button`) }, ""},
		{"signing-keys", w.host, "/account/signing-keys", 200, nil, ""},
		{"signing-keys-coming", w.host, "/account/signing-keys", 200, func(b *browserTab) { b.post("/account/signing-keys/rotate", "now", "yes") }, ""},
	}
}
