package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// bearerError is the challenge beside a refused token (RFC 6750, 3).
func bearerError(base, code, description string) string {
	return `Bearer error="` + code + `", error_description="` + description + `", error_uri="` + base + `/problems/` + code + `"`
}

func (b *bench) invalidToken(description string) string {
	return bearerError(b.base, "invalid_token", description)
}

// A challenge says which error, what it means and where to read on, and the
// answer names what older texts call it.
func TestARefusedTokenIsExplained(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.token(t, "bob")
	narrow := b.key(t, "bob", oauth.RoomsRead)
	says := func(a answer, code, reason, challenge string) {
		t.Helper()
		said := a.object()
		if got, _ := said["reason"].(string); said["code"] != code || got != reason {
			t.Errorf("%s, want %s (%s)", a.body, code, reason)
		}
		got := a.Header.Get("WWW-Authenticate")
		if got != challenge || strings.Trim(got, printable+`"`) != "" {
			t.Errorf("WWW-Authenticate is %s, want %s", got, challenge)
		}
		if _, uri, has := strings.Cut(got, `error_uri="`+b.base); has {
			path, _, _ := strings.Cut(uri, `"`)
			b.nobody(t).get(path).wants(http.StatusOK)
		}
	}
	with := func(token string) answer {
		return b.nobody(t).get(v1+"/rooms", header("Authorization", "Bearer "+token)).wants(http.StatusUnauthorized)
	}
	says(with("nonsense"), "invalid_credentials", "", b.invalidToken("The access token is not good, or was withdrawn."))
	says(with("ao_nonsense"), "invalid_credentials", "", b.invalidToken("The access token is not good, or was withdrawn."))
	says(b.nobody(t).get(v1+"/rooms").wants(http.StatusUnauthorized), "invalid_credentials", "", `Bearer realm="AdmitOne"`)
	says(narrow.get(v1+"/rooms/standup/invitations").wants(http.StatusForbidden), "insufficient_scope", "",
		bearerError(b.base, "insufficient_scope", "The credentials are good, and do not reach this call.")+`, scope="invitations:read"`)
	b.Clock.Add(hosts.TokenLife + time.Second)
	says(with(token), "token_expired", "token_expired", b.invalidToken("The access token has expired."))
}

// Every code that OAuth's answers carry has a page, with what older texts call it.
func TestEveryErrorURIIsAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.nobody(t)
	for code, former := range map[string][]string{
		"invalid_request":      {"unsupported_over_http", "version_rejected", "parameter_absent", "invalid_param", "parameter_rejected"},
		"invalid_scope":        {"parameter_rejected"},
		"invalid_client":       {"invalid_client_secret"},
		"invalid_token":        {"token_expired"},
		"invalid_grant":        {"token_expired", "invalid_callback"},
		"invalid_redirect_uri": {"invalid_callback"},
		"access_denied":        nil, "unsupported_response_type": nil, "unsupported_grant_type": nil, "unauthorized_client": nil, "server_error": nil,
		"temporarily_unavailable": nil, "insufficient_scope": nil, "invalid_client_metadata": nil, "too_many_requests": nil,
	} {
		v.get("/problems/" + code).wants(http.StatusOK).says(append(former, code)...)
	}
}

// A 307 would send the form of the sign-in, or of the consent, on to the app.
func TestTheConsentLeadsOnWith303Alone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "alice")
	bob := b.signedIn(t, "bob")
	for name, a := range map[string]answer{
		"denied":          bob.answers(c.asks(), "deny"),
		"allowed":         bob.answers(c.asks(), "allow"),
		"allowed before":  bob.get(c.asks()),
		"asked wrongly":   bob.get(c.asks("scope", "read")),
		"in a language":   bob.get(c.asks("lang", "zh-CN")),
		"to the sign-in":  b.browser(t).get(c.asks()),
		"and once more":   bob.get(c.asks("force_login", "true")),
		"pressed outside": b.browser(t).post("/oauth/authorize", fields("decision", "allow", "client_id", c.ID)),
	} {
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") == "" {
			t.Errorf("%s: %d, %v", name, a.StatusCode, a.Header)
		}
	}
}
