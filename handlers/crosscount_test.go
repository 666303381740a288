package handlers_test

import (
	"net/http"
	"testing"
)

// TestPagesElsewhereSpendNoTriesOfTheirVisitors: a form needs no leave to be sent
// to another site, and what it guesses is not to count as its reader's.
func TestPagesElsewhereSpendNoTriesOfTheirVisitors(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.app.Origins = []string{"https://app.example"} })
	b.signedIn(t, "bob") // this address is known
	wrong := fields("username", "bob", "password", "a wrong guess")
	for range 40 {
		v := b.nobody(t)
		v.post("/api/v1/users/token", wrong, header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")).wants(http.StatusForbidden)
		v.post("/api/v1/users/token", wrong, without("Sec-Fetch-Site"), header("Origin", "https://evil.example")).wants(http.StatusForbidden)
		v.post("/api/v1/apps", fields("client_name", "Gate", "redirect_uris", "https://gate.example/back"), header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
		v.post("/oauth/token", fields("grant_type", "client_credentials", "client_id", "x", "client_secret", "y"), header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	}
	right := fields("username", "bob", "password", passwords["bob"])
	for name, change := range map[string][]func(*http.Request){
		"a script":                  {without("Sec-Fetch-Site")},
		"a page that may call":      {header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://app.example")},
		"an old one that may call":  {without("Sec-Fetch-Site"), header("Origin", "https://app.example")},
		"a page of ours":            {header("Sec-Fetch-Site", "same-origin"), header("Origin", b.base)},
		"the user, on nothing else": {header("Sec-Fetch-Site", "none")},
	} {
		if a := b.nobody(t).post("/api/v1/users/token", right, change...); a.StatusCode != http.StatusOK {
			t.Errorf("%s → %d", name, a.StatusCode)
		}
	}
	b.nobody(t).post("/api/v1/apps", fields("client_name", "Gate", "redirect_uris", "https://gate.example/back"), without("Sec-Fetch-Site")).wants(http.StatusOK)
}
