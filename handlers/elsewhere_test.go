package handlers_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"admitone/tokens"
)

func trusting(cidr string) func(*bench) {
	return func(b *bench) {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			panic(err)
		}
		b.app.Trusted = append(b.app.Trusted, n)
	}
}

// guess offers a link that was never ours, and tells whether that was too many.
func (v *visitor) guess(change ...func(*http.Request)) bool {
	v.t.Helper()
	return v.get("/i/"+strings.Repeat("0", 26), change...).StatusCode == http.StatusTooManyRequests
}

// TestForwardedAddressesCountFromTrustedProxiesOnly is F24. The address a
// request is counted for shows in who is slowed down.
func TestForwardedAddressesCountFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  []func(*bench)
		forward func(i int) string
		one     bool // whether all guesses count for one address
	}{
		{"no proxy is trusted", nil, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, true},
		{"another proxy is trusted", []func(*bench){trusting("10.0.0.0/8")}, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, true},
		{"this proxy is trusted", []func(*bench){trusting("127.0.0.0/8")}, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, false},
		{"what the client says before the proxy", []func(*bench){trusting("127.0.0.0/8")}, func(i int) string { return fmt.Sprintf("192.0.2.%d, 198.51.100.7", i) }, true},
		{"two trusted proxies", []func(*bench){trusting("127.0.0.0/8"), trusting("10.0.0.0/8")}, func(i int) string { return fmt.Sprintf("192.0.2.%d, 10.1.2.3", i) }, false},
		{"a private address is not trusted by itself", []func(*bench){trusting("127.0.0.0/8")}, func(i int) string { return fmt.Sprintf("192.0.2.%d, 192.168.1.1", i) }, true},
		{"garbage", []func(*bench){trusting("127.0.0.0/8")}, func(i int) string { return fmt.Sprintf("not-an-address-%d", i) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.change...)
			slowed := false
			for i := range 12 {
				slowed = b.nobody(t).guess(header("X-Forwarded-For", tt.forward(i+1))) || slowed
			}
			if slowed != tt.one {
				t.Errorf("slowed down: %v, want %v", slowed, tt.one)
			}
			for _, name := range []string{"X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip"} {
				if b.from(t, "127.0.4.1").guess(header(name, "192.0.2.99")) {
					t.Errorf("%s counts", name)
				}
			}
		})
	}
}

// TestWrongLinksAreSlowedAndUsedOnesAreNot: only what was never ours is a guess.
func TestWrongLinksAreSlowedAndUsedOnesAreNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther)
	someone := b.from(t, "127.0.5.1")
	for range 30 {
		someone.get(b.short(inv)).wants(http.StatusConflict)
	}
	for i := range 10 {
		if someone.guess() {
			t.Fatalf("guess %d was too many", i+1)
		}
	}
	a := someone.get("/i/" + strings.Repeat("0", 26)).wants(http.StatusTooManyRequests).says("Too many tries")
	if a.Header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	b.from(t, "127.0.5.2").get(b.short(inv)).wants(http.StatusConflict) // others are not
	b.Clock.Add(10e9)
	if someone.guess() {
		t.Error("slowed down for longer than Retry-After said")
	}
}

// TestMetricsAreForThisMachineOrTheBearer asks the handler itself, for requests
// that come from elsewhere than loopback.
func TestMetricsAreForThisMachineOrTheBearer(t *testing.T) {
	t.Parallel()
	const token = "a-metrics-token" // gitleaks:allow
	withToken := func(b *bench) { b.app.MetricsToken = token }
	for _, tt := range []struct {
		name, from string
		change     []func(*bench)
		head       []string
		open       bool
	}{
		{"this machine", "127.0.0.1", nil, nil, true},
		{"this machine, IPv6", "[::1]", nil, nil, true},
		{"elsewhere", "192.0.2.1", nil, nil, false},
		{"the network around", "10.0.0.2", nil, nil, false},
		{"elsewhere, an empty bearer where none is set", "192.0.2.1", nil, []string{"Authorization", "Bearer "}, false},
		{"elsewhere, with the bearer", "192.0.2.1", []func(*bench){withToken}, []string{"Authorization", "Bearer " + token}, true},
		{"elsewhere, with a wrong bearer", "192.0.2.1", []func(*bench){withToken}, []string{"Authorization", "Bearer " + token + "x"}, false},
		{"elsewhere, without it", "192.0.2.1", []func(*bench){withToken}, nil, false},
		{"elsewhere, saying it is here", "192.0.2.1", nil, []string{"X-Forwarded-For", "127.0.0.1"}, false},
		{"through a proxy here that is not trusted", "127.0.0.1", nil, []string{"X-Forwarded-For", "192.0.2.1"}, false},
		{"through one that says Forwarded", "127.0.0.1", nil, []string{"Forwarded", "for=192.0.2.1"}, false},
		{"through one that says Via", "127.0.0.1", nil, []string{"Via", "1.1 proxy"}, false},
		{"through one that says X-Real-IP", "127.0.0.1", nil, []string{"X-Real-Ip", "192.0.2.1"}, false},
		{"through a trusted proxy here", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, []string{"X-Forwarded-For", "192.0.2.1"}, false},
		{"through a trusted proxy, saying it is here", "127.0.0.1", []func(*bench){trusting("127.0.0.1/32")}, []string{"X-Forwarded-For", "127.0.0.1, 192.0.2.1"}, false},
		{"through a trusted proxy, from here", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, []string{"X-Forwarded-For", "127.0.0.1"}, true},
		{"through a trusted proxy that does not say for whom", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, []string{"Via", "1.1 proxy"}, false},
		{"through a trusted proxy that says it in another way", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, []string{"X-Real-Ip", "192.0.2.1"}, false},
		{"through a trusted proxy that says nothing", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, []string{"X-Forwarded-For", ""}, false},
		{"through a proxy here where another is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, []string{"X-Forwarded-For", "192.0.2.1"}, false},
		{"through one that says Forwarded, where another is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, []string{"Forwarded", "for=192.0.2.1"}, false},
		{"through one that says Via, where another is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, []string{"Via", "1.1 proxy"}, false},
		{"through one that says X-Real-IP, where another is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, []string{"X-Real-Ip", "192.0.2.1"}, false},
		{"through one that says True-Client-IP", "127.0.0.1", nil, []string{"True-Client-Ip", "192.0.2.1"}, false},
		{"through one that says CF-Connecting-IP", "127.0.0.1", nil, []string{"Cf-Connecting-Ip", "192.0.2.1"}, false},
		{"through a proxy here that says it is here, where another is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, []string{"X-Forwarded-For", "127.0.0.1"}, false},
		{"through the trusted proxy elsewhere, saying it is here", "10.0.0.2", []func(*bench){trusting("10.0.0.0/8")}, []string{"X-Forwarded-For", "127.0.0.1"}, false},
		{"this machine, where a proxy elsewhere is trusted", "127.0.0.1", []func(*bench){trusting("10.0.0.0/8")}, nil, true},
		{"this machine, where a proxy here is trusted", "127.0.0.1", []func(*bench){trusting("127.0.0.0/8")}, nil, true},
		{"the bearer behind a proxy", "127.0.0.1", []func(*bench){withToken}, []string{"X-Forwarded-For", "192.0.2.1", "Authorization", "Bearer " + token}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.change...)
			req := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
			req.RemoteAddr = tt.from + ":1234"
			for i := 0; i+1 < len(tt.head); i += 2 {
				req.Header.Set(tt.head[i], tt.head[i+1])
			}
			w := httptest.NewRecorder()
			b.echo.ServeHTTP(w, req)
			if open := w.Code == http.StatusOK && strings.Contains(w.Body.String(), "admitone_redeem_seconds"); open != tt.open || !open && w.Code != http.StatusNotFound {
				t.Errorf("→ %d, want open: %v", w.Code, tt.open)
			}
		})
	}
}

func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := validating(b.program(t, "bob"))
	room := b.room(t, "bob", "standup")
	r.post(mintAt, `{"role": "guest"}`).wants(http.StatusCreated)
	r.post(mintAt, `{"role": "host"}`).wants(http.StatusCreated)
	b.signedIn(t, "bob").post("/rooms/standup/invitations", fields("role", "guest")).wants(http.StatusSeeOther)
	inv := b.mint(t, room, tokens.Draft{})
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther)
	redeem(r, b.short(inv), "turnstile-000042").wants(http.StatusConflict)
	b.browser(t).signIn("bob", "wrong-but-long").wants(http.StatusUnauthorized)
	b.nobody(t).get("/metrics").wants(http.StatusOK).says(`admitone_invitations_minted_total{role="guest"} 2`, `admitone_invitations_minted_total{role="host"} 1`,
		`admitone_redeem_total{result="admitted"} 1`, `admitone_redeem_total{result="used"} 1`, "admitone_redeem_seconds_count 2",
		`admitone_login_total{result="ok"} 1`, `admitone_login_total{result="wrong"} 1`).
		saysNot("standup", shown(inv.ID), strings.TrimPrefix(b.short(inv), "/i/"), `"bob"`)
}

// TestWithoutSignInOnlyThisMachineByItsName: HOST_USER_AUTH=false.
func TestWithoutSignInOnlyThisMachineByItsName(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.base, b.app.Open = "http://localhost:8080", true })
	local := b.nobody(t)
	local.get("/").wants(http.StatusOK).saysNot("Sign out")
	local.get(v1 + "/rooms").wants(http.StatusOK)
	local.post("/rooms", fields("name", "Standup", "slug", "standup"), header("Sec-Fetch-Site", "same-origin")).wants(http.StatusSeeOther)
	asJSON := header("Content-Type", "application/json")
	local.do("POST", v1+"/rooms", `{"name": "x", "slug": "by-a-script"}`, asJSON).wants(http.StatusCreated)
	for _, host := range []string{"localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:99"} {
		local.get("/", header("Host", host)).wants(http.StatusOK)
	}
	for _, host := range []string{"evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "192.0.2.1", "0.0.0.0", "meet.example:8080"} {
		local.get("/", header("Host", host)).wants(http.StatusForbidden)
		local.get(v1+"/rooms", header("Host", host)).wants(http.StatusForbidden)
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-Ip"} {
		local.get("/", header(name, "127.0.0.1")).wants(http.StatusForbidden)
	}
	for name, change := range map[string][]func(*http.Request){
		"a page elsewhere":               {header("Sec-Fetch-Site", "cross-site"), asJSON},
		"another port of this machine":   {header("Sec-Fetch-Site", "same-site"), asJSON},
		"a page in an old browser":       {header("Origin", "https://evil.example"), asJSON},
		"a page with a form of text":     {header("Origin", "http://localhost:3000"), header("Content-Type", "text/plain")},
		"a page that hides where it is ": {header("Origin", "null"), asJSON},
	} {
		for _, call := range []string{"/rooms", v1 + "/rooms", v1 + "/rooms/standup/reopen", "/rooms/standup/close"} {
			if got := local.do("POST", call, `{"name": "x"}`, change...).StatusCode; got != http.StatusForbidden {
				t.Errorf("%s posts to %s → %d", name, call, got)
			}
		}
		if got := local.do("DELETE", v1+"/rooms/standup", "", change...).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s deletes → %d", name, got)
		}
	}
	local.get(v1 + "/rooms/standup").wants(http.StatusOK).says(`"state":"open"`)
}
