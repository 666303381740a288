package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fullRun does everything that hosts, guests, gates and guessers do, well and badly.
func fullRun(t *testing.T, s *server, known secrets) {
	t.Helper()
	host := &visitor{t: t, s: s, known: known}
	const wrong = "violet-tram-4711-lanterm" // what is typed wrong is nearly right
	known.add("mistyped password", wrong)
	signIn := func(password string) string { return fmt.Sprintf(`{"username":%q,"password":%q}`, hostName, password) }
	host.ask(http.StatusUnauthorized, http.MethodPost, "/api/v1/users/token", signIn(wrong))
	host.ask(http.StatusUnauthorized, http.MethodPost, "/signin", url.Values{"username": {hostName}, "password": {wrong}}.Encode())
	host.ask(http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/users/token", `{"username":"host","password":"`+hostPassword+`","otp":1}`)
	host.ask(http.StatusSeeOther, http.MethodPost, "/signin", url.Values{"username": {hostName}, "password": {hostPassword}}.Encode())
	host.ask(http.StatusOK, http.MethodGet, "/", "")
	bearer := host.ask(http.StatusOK, http.MethodPost, "/api/v1/users/token", signIn(hostPassword)).Get("access_token")
	known.add("host's token", bearer)

	gate := &visitor{t: t, s: s, known: known, bearer: bearer}
	for _, room := range []string{`{"name":"Standup"}`, `{"name":"Other"}`, `{"name":"Away","backend":"main"}`} {
		gate.ask(http.StatusCreated, http.MethodPost, "/api/v1/rooms", room)
	}
	invitationsOf(t, s, host, gate)
	scriptsOf(t, s, known, wrong)
	guestsOf(t, s, known, gate)
	conferencesOf(t, s, known, host, gate)
	appsOf(t, s, known, host)
	guessersOf(t, s, known, gate)
}

var linkOnPage = regexp.MustCompile(`/i/([0-9a-z]{26})`)

// invitationsOf mints, shows and lists as hosts and their programs do.
func invitationsOf(t *testing.T, s *server, host, gate *visitor) {
	t.Helper()
	a := host.ask(http.StatusSeeOther, http.MethodPost, "/rooms/standup/invitations", url.Values{"role": {"guest"}, "name": {"Grace the Guest"}, "expires": {"1h"}}.Encode())
	page := host.ask(http.StatusOK, http.MethodGet, a.Header.Get("Location"), "")
	code := linkOnPage.FindSubmatch(page.Body)
	if code == nil {
		t.Fatalf("no link on the page of a minted invitation:\n%s", page.Body)
	}
	host.known.add("short code", string(code[1]))
	host.ask(http.StatusOK, http.MethodGet, "/rooms/standup", "")
	for _, body := range []string{`{"role":"guest","name":"Ada"}`, `{"role":"host"}`} {
		inv := gate.mint("standup", body)
		for _, path := range []string{"", "/qr.png", "/qr.svg?form=jwt", "/events"} {
			gate.ask(http.StatusOK, http.MethodGet, "/api/v1/invitations/"+inv.ID+path, "")
		}
		for _, text := range []string{inv.Token, inv.Code(), strings.ToUpper(inv.Code()), inv.URL, inv.Short} {
			gate.ask(http.StatusOK, http.MethodPost, "/api/v1/invitations/inspect", `{"token":"`+text+`"}`)
		}
	}
	gate.ask(http.StatusOK, http.MethodGet, "/api/v1/rooms/standup/invitations", "")
	gate.ask(http.StatusOK, http.MethodGet, "/api/v1/rooms/standup/events", "")
}

// scriptsOf calls what scripts for MiroTalk call, with the key, without it and with wrong passwords.
func scriptsOf(t *testing.T, s *server, known secrets, wrong string) {
	t.Helper()
	script := &visitor{t: t, s: s, known: known}
	key := "Authorization: " + apiKey
	body := func(password, more string) string {
		return fmt.Sprintf(`{"room":"scripted","name":"Grace the Guest","audio":true,"username":%q,"password":%q,"token":{"username":%q,"password":%q%s}}`,
			hostName, password, hostName, password, more)
	}
	for _, path := range []string{"/api/v1/join", "/api/v1/token"} {
		a := script.ask(http.StatusOK, http.MethodPost, path, body(hostPassword, ""), key)
		_, token, _ := strings.Cut(a.Get("join"), "?token=")
		known.add("JWT", token+a.Get("token"))
		script.ask(http.StatusUnauthorized, http.MethodPost, path, body(wrong, ""), key)
		script.ask(http.StatusForbidden, http.MethodPost, path, body(hostPassword, ""), key+"x")
		script.ask(http.StatusUnsupportedMediaType, http.MethodPost, path, body(hostPassword, ""), key, "Content-Type: text/plain")
		script.ask(http.StatusBadRequest, http.MethodPost, path, body(hostPassword, "}"), key)
	}
	script.ask(http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/join", body(hostPassword, `,"expire":"3600"`), key)
	script.ask(http.StatusOK, http.MethodPost, "/api/v1/meeting", "", key)
	script.ask(http.StatusForbidden, http.MethodPost, "/api/v1/meeting", "")
}

// guestsOf opens, redeems and is refused, on the page and at a gate, for every reason there is.
func guestsOf(t *testing.T, s *server, known secrets, gate *visitor) {
	t.Helper()
	offer := func(want int, inv minted, nonce, room string) {
		t.Helper()
		known.add("nonce", nonce)
		for _, text := range []string{inv.Token, inv.Short} {
			gate.ask(want, http.MethodPost, "/api/v1/invitations/redeem", fmt.Sprintf(`{"token":%q,"nonce":%q,"room":%q}`, text, nonce, room))
		}
	}
	refusedBoth := func(want int, inv minted) {
		t.Helper()
		offer(want, inv, "nonce-of-whoever-comes-late", "")
		late := &visitor{t: t, s: s, known: known}
		late.page(want, http.MethodGet, inv.URL, "")
		late.page(want, http.MethodGet, strings.Replace(strings.ToUpper(inv.Short), strings.ToUpper(s.Base), s.Base, 1), "")
	}
	inv := gate.mint("standup", `{"role":"guest","name":"Grace the Guest"}`)
	guest := &visitor{t: t, s: s, known: known}
	first := guest.page(http.StatusOK, http.MethodGet, inv.URL, "", "Referer: "+inv.URL)
	nonce := string(formNonce.FindSubmatch(first.Body)[1])
	guest.page(http.StatusForbidden, http.MethodPost, inv.URL, "")
	guest.page(http.StatusForbidden, http.MethodPost, inv.URL, nonce, "Origin: https://evil.example")
	guest.page(http.StatusForbidden, http.MethodPost, inv.Short, nonce, "Sec-Purpose: prefetch")
	guest.page(http.StatusSeeOther, http.MethodPost, inv.URL, nonce)
	guest.ask(http.StatusOK, http.MethodGet, "/join/standup/admitted", "")
	refusedBoth(http.StatusConflict, inv)
	offer(http.StatusForbidden, inv, "nonce-at-the-wrong-door", "other")
	guest.ask(http.StatusForbidden, http.MethodGet, "/join/other?token="+inv.Token, "")

	away := gate.mint("away", `{"role":"guest","max_uses":2}`)
	offer(http.StatusOK, away, "nonce-of-one-who-goes-there", "")
	gate.ask(http.StatusOK, http.MethodPost, "/api/v1/invitations/"+away.ID+"/revoke", `{"reason":"moved"}`)
	refusedBoth(http.StatusGone, away)
	guest.page(http.StatusSeeOther, http.MethodPost, inv.Short, nonce)

	old := gate.mint("standup", `{"role":"guest"}`)
	again := gate.ask(http.StatusCreated, http.MethodPost, "/api/v1/invitations/"+old.ID+"/reissue", "")
	known.add("JWT", again.Get("token"))
	refusedBoth(http.StatusGone, old)

	early := gate.mint("standup", fmt.Sprintf(`{"role":"guest","not_before":%q,"expires_in":"2d"}`, time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)))
	refusedBoth(http.StatusForbidden, early)

	brief := gate.mint("standup", `{"role":"guest","expires_in":1}`)
	until(t, "an invitation's end", func() bool {
		return gate.ask(http.StatusOK, http.MethodPost, "/api/v1/invitations/inspect", `{"token":"`+brief.Token+`"}`).Get("state") == "expired"
	})
	refusedBoth(http.StatusGone, brief)

	shut := gate.mint("other", `{"role":"guest"}`)
	gate.ask(http.StatusNoContent, http.MethodDelete, "/api/v1/rooms/other", "")
	refusedBoth(http.StatusGone, shut)
}

// guessersOf offers what is no link, puts links where none belong, and guesses until it has to wait.
func guessersOf(t *testing.T, s *server, known secrets, gate *visitor) {
	t.Helper()
	inv := gate.mint("standup", `{"role":"guest"}`)
	for _, path := range []string{"/nowhere/", "/rooms/", "/api/v1/invitations/", "/api/v1/nowhere/", "/static/", "/problems/"} {
		for _, secret := range []string{inv.Token, inv.Code()} {
			want := http.StatusNotFound
			if path == "/rooms/" {
				want = http.StatusSeeOther // to sign in first
			}
			gate.ask(want, http.MethodGet, path+secret, "")
			gate.ask(want, http.MethodGet, path+"x?token="+secret, "", "User-Agent: "+secret)
		}
	}
	gate.ask(http.StatusMethodNotAllowed, http.MethodPut, "/i/"+inv.Code(), "")
	gate.ask(http.StatusMethodNotAllowed, http.MethodDelete, "/join/standup?token="+inv.Token, "")
	redeem := "/api/v1/invitations/redeem"
	gate.ask(http.StatusBadRequest, http.MethodPost, redeem, `{"token":"`+inv.Token)
	gate.ask(http.StatusUnprocessableEntity, http.MethodPost, redeem, `{"`+inv.Token+`":"x"}`)
	gate.ask(http.StatusUnprocessableEntity, http.MethodPost, redeem, `{"token":"`+inv.Token+`","nonce":"short"}`)
	gate.ask(http.StatusUnsupportedMediaType, http.MethodPost, redeem, "token="+inv.Token)
	thief := &visitor{t: t, s: s, known: known, bearer: inv.Token}
	thief.ask(http.StatusUnauthorized, http.MethodGet, "/api/v1/rooms", "")
	thief.bearer = gate.bearer[:len(gate.bearer)-2]
	thief.ask(http.StatusUnauthorized, http.MethodGet, "/api/v1/rooms", "")

	parts := strings.Split(inv.Token, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"invite+jwt"}`))
	guest := &visitor{t: t, s: s, known: known}
	for i, forged := range []string{none + "." + parts[1] + ".", parts[0] + "." + parts[1] + "." + strings.ToLower(parts[2]), inv.Token + "=", inv.Token[:len(inv.Token)-3],
		"x" + inv.Token, inv.Code()[1:] + inv.Code()[:1], inv.Code() + "0"} {
		if i%2 == 0 {
			gate.ask(http.StatusUnprocessableEntity, http.MethodPost, redeem, fmt.Sprintf(`{"token":%q,"nonce":"nonce-of-a-forger"}`, forged))
			continue
		}
		guest.ask(http.StatusNotFound, http.MethodGet, "/join/standup?token="+url.QueryEscape(forged), "")
	}
	until(t, "the end of all guesses", func() bool {
		r, err := http.NewRequest(http.MethodGet, s.URL+"/i/"+inv.Code()[1:]+"0", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.send(r)
		return err == nil && a.Status == http.StatusTooManyRequests
	})
	guest.page(http.StatusTooManyRequests, http.MethodGet, "/join/standup?token="+url.QueryEscape(inv.Token+"="), "")
	guest.page(http.StatusOK, http.MethodGet, inv.Short, "") // a genuine link never waits
	forged := fmt.Sprintf(`{"token":%q,"nonce":"nonce-of-a-forger"}`, inv.Token+"=")
	for range 6 { // and four above
		gate.ask(http.StatusUnprocessableEntity, http.MethodPost, redeem, forged)
	}
	gate.ask(http.StatusTooManyRequests, http.MethodPost, redeem, forged)
}
