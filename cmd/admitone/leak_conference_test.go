package main

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// heldKey and heldPassword are secrets of the back end whose guests wait for a host.
const heldKey, heldPassword = "held-tram-lantern-violet-9042-Kq7z", "held-password-3318" // gitleaks:allow

// heldBackend is its entry in BACKENDS; nobody answers there, and nobody is asked.
func heldBackend() string {
	return fmt.Sprintf(`{"name":"held","kind":"mirotalk","url":"https://held.example","jwt_key":%q,"username":"admitone","password":%q}`, heldKey, heldPassword)
}

// downBackend answers nothing at all.
const downBackend = `{"name":"down","kind":"livekit","url":"ws://127.0.0.1:9","key":"APIdown","secret":"down-secret-6170-down-secret-6170","join_url":"https://down.example/?u={url}&t={token}"}` // gitleaks:allow

// conferencesOf has hosts, guests and gates go into conferences: what they are
// handed stands in the answer that hands it over, and nowhere else.
func conferencesOf(t *testing.T, s *server, known secrets, host, gate *visitor) {
	t.Helper()
	known.add("held back end's key", heldKey)
	known.add("held back end's password", heldPassword)
	known.add("down back end's secret", "down-secret-6170-down-secret-6170")
	handed := func(link string) {
		t.Helper()
		u, err := url.Parse(link)
		if err != nil || u.Host != "held.example" || u.Query().Get("token") == "" {
			t.Fatalf("handed to %q, %v", link, err)
		}
		known.add("join link", link)
		known.add("join token", u.Query().Get("token"))
		known.add("conference's room", u.Query().Get("room"))
	}
	for _, room := range []string{`{"name":"Talk","backend":"held"}`, `{"name":"Down","backend":"down"}`} {
		gate.ask(http.StatusCreated, http.MethodPost, "/api/v1/rooms", room)
	}
	inv := gate.mint("talk", `{"role":"guest","name":"Grace the Guest","max_uses":2}`)
	guest := &visitor{t: t, s: s, known: known, own: []string{inv.Code()}} // a refusal may name the guest's own link
	guest.page(http.StatusForbidden, http.MethodGet, inv.Short, "")
	at := host.ask(http.StatusSeeOther, http.MethodPost, "/rooms/talk/enter", "").Header.Get("Location")
	host.ask(http.StatusOK, http.MethodGet, at, "")
	for range 2 {
		handed(host.ask(http.StatusSeeOther, http.MethodPost, at, "").Header.Get("Location"))
	}
	host.ask(http.StatusOK, http.MethodGet, at, "")
	nonce := string(formNonce.FindSubmatch(guest.page(http.StatusOK, http.MethodGet, inv.Short, "").Body)[1])
	guest.page(http.StatusSeeOther, http.MethodPost, inv.Short, nonce)
	for range 2 {
		handed(guest.ask(http.StatusSeeOther, http.MethodPost, "/join/talk/admitted", "").Header.Get("Location"))
	}
	guest.ask(http.StatusOK, http.MethodGet, "/join/talk/admitted", "")
	const gates = "nonce-of-one-at-the-gate"
	known.add("nonce", gates)
	handed(gate.ask(http.StatusOK, http.MethodPost, "/api/v1/invitations/redeem", fmt.Sprintf(`{"token":%q,"nonce":%q}`, inv.Token, gates)).Get("join_url"))
	host.ask(http.StatusOK, http.MethodGet, "/rooms/talk", "")
	host.ask(http.StatusOK, http.MethodGet, "/rooms/talk/history", "")
	gate.ask(http.StatusOK, http.MethodPost, "/api/v1/invitations/"+inv.ID+"/revoke", `{"reason":"over"}`)
	guest.ask(http.StatusGone, http.MethodPost, "/join/talk/admitted", "")

	away := gate.mint("down", `{"role":"guest"}`)
	gate.ask(http.StatusServiceUnavailable, http.MethodPost, "/api/v1/invitations/redeem", fmt.Sprintf(`{"token":%q,"nonce":%q}`, away.Token, gates))
	host.ask(http.StatusServiceUnavailable, http.MethodPost, "/rooms/down/enter", "")
}
