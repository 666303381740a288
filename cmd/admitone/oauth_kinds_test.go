package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// door is something that opens for some kinds of secrets.
type door struct {
	name  string
	try   func(t *testing.T, secret string) answer
	opens []string // the kinds that open it
	open  func(a answer) bool
}

// TestNoSecretOpensWhatAnotherKindOpens: one of each kind there is, all of the
// same host and app, is offered wherever one is taken.
func TestNoSecretOpensWhatAnotherKindOpens(t *testing.T) {
	t.Parallel()
	s := startServer(t, "API_KEY_SECRET="+apiKey)
	room := s.createRoom(t, "Kinds")
	inv := s.mint(t, room, members{"max_uses": 50})
	scopes := strings.Fields(everything())
	p := s.makeApp(t, scopes...)
	got := p.allowed(t)
	host := s.signedIn(t, hostName)
	cookie, session, _ := strings.Cut(host, "=")
	guest := &guestBrowser{s: s}
	_, nonce := guest.Look(t, inv.Short)
	guest.Press(t, inv.Short, nonce)
	pass, visit, _ := strings.Cut(guest.cookie, "=")
	move := (&world{server: s}).offer(t, guest, room)
	kinds := map[string]string{
		"invitation's JWT": inv.Token, "short code": inv.Code(), "link": inv.Short, "host's token": s.token(t), "access token": got.Access,
		"refresh token": got.Refresh, "code": p.code(t, everything()), "client's secret": p.Secret, "client's id": p.ID, "API key": s.makeKey(t, scopes...), "session": session,
		"script's key": apiKey, "password": hostPassword,
		"guest's cookie": visit, "page's nonce": nonce, "move's code": move,
	}
	doors := []door{
		{"the API", bearing(s, "/api/v1/rooms"), []string{"host's token", "access token", "API key"}, answered(http.StatusOK)},
		{"the app's own call", bearing(s, "/api/v1/apps/verify_credentials"), []string{"access token"}, answered(http.StatusOK)},
		{"the dashboard", func(t *testing.T, secret string) answer {
			return (&guestBrowser{s: s, cookie: cookie + "=" + url.QueryEscape(secret)}).visit(t, http.MethodGet, "/account", nil)
		}, []string{"session"}, answered(http.StatusOK)},
		{"coming back", func(t *testing.T, secret string) answer {
			return (&guestBrowser{s: s, cookie: pass + "=" + url.QueryEscape(secret)}).visit(t, http.MethodGet, "/join/"+room+"/admitted", nil)
		}, []string{"guest's cookie"}, answered(http.StatusOK)},
		{"the calls in MiroTalk's shape", func(t *testing.T, secret string) answer {
			r := request(t, http.MethodPost, s.URL+"/api/v1/meeting")
			r.Header.Set("Authorization", secret)
			return sent(t, s, r)
		}, []string{"script's key"}, answered(http.StatusOK)},
		{"the client's own door", func(t *testing.T, secret string) answer {
			a, err := s.post("/oauth/introspect", url.Values{"token": {got.Access}}, "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(p.ID)+":"+url.QueryEscape(secret))))
			if err != nil {
				t.Fatal(err)
			}
			return a
		}, []string{"client's secret"}, answered(http.StatusOK)},
		{"introspection", posting(p, "/oauth/introspect", func(secret string) url.Values { return url.Values{"token": {secret}} }),
			[]string{"invitation's JWT", "short code", "access token", "refresh token"}, func(a answer) bool { return a.Get("active") == "true" }},
		{"inspect", asking(s, "/invitations/inspect"), []string{"invitation's JWT", "short code", "link"}, answered(http.StatusOK)},
		{"redeem", asking(s, "/invitations/redeem"), []string{"invitation's JWT", "short code", "link"}, answered(http.StatusOK)},
		{"the guest's page", func(t *testing.T, secret string) answer {
			return (&guestBrowser{s: s}).visit(t, http.MethodGet, "/join/"+room+"?token="+url.QueryEscape(secret), nil)
		}, []string{"invitation's JWT"}, answered(http.StatusOK)},
		{"the short link", func(t *testing.T, secret string) answer {
			return (&guestBrowser{s: s}).visit(t, http.MethodGet, "/i/"+url.PathEscape(secret), nil)
		}, []string{"invitation's JWT", "short code"}, answered(http.StatusOK)}, // both name the same invitation
		{"going on elsewhere", func(t *testing.T, secret string) answer {
			return (&guestBrowser{s: s}).visit(t, http.MethodGet, "/m/"+url.PathEscape(secret), nil)
		}, []string{"move's code"}, answered(http.StatusOK)},
		// The last two use up what opens them.
		{"the refresh grant", posting(p, "/oauth/token", refresh), []string{"refresh token"}, answered(http.StatusOK)},
		{"the code grant", posting(p, "/oauth/token", exchange), []string{"code"}, answered(http.StatusOK)},
	}
	for _, d := range doors {
		for kind, secret := range kinds {
			a := d.try(t, secret)
			want := slices.Contains(d.opens, kind)
			if d.open(a) != want || a.Status >= http.StatusInternalServerError {
				t.Errorf("%s, offered a %s: %v, want it open: %t", d.name, kind, a, want)
			}
		}
	}

	// Revoking what is none of the app's tokens ends nothing.
	for kind, secret := range kinds {
		if kind == "access token" || kind == "refresh token" {
			continue
		}
		if a := p.send(t, "/oauth/revoke", url.Values{"token": {secret}}); a.Status != http.StatusOK {
			t.Errorf("revoking a %s: %v", kind, a)
		}
	}
	for _, d := range doors[:len(doors)-2] {
		for _, kind := range d.opens {
			if kind == "refresh token" {
				continue // was used up
			}
			if a := d.try(t, kinds[kind]); !d.open(a) {
				t.Errorf("%s is shut to a %s after that was revoked as a token: %v", d.name, kind, a)
			}
		}
	}
}

func answered(statuses ...int) func(a answer) bool {
	return func(a answer) bool { return slices.Contains(statuses, a.Status) }
}

func sent(t *testing.T, s *server, r *http.Request) answer {
	t.Helper()
	a, err := s.send(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// bearing offers a secret as a bearer's token.
func bearing(s *server, path string) func(t *testing.T, secret string) answer {
	return func(t *testing.T, secret string) answer {
		r := request(t, http.MethodGet, s.URL+path)
		r.Header.Set("Authorization", "Bearer "+secret)
		return sent(t, s, r)
	}
}

// asking offers a secret as an invitation's token, as the host.
func asking(s *server, path string) func(t *testing.T, secret string) answer {
	return func(t *testing.T, secret string) answer {
		body := members{"token": secret}
		if path == "/invitations/redeem" {
			body["nonce"] = "nonce-of-every-kind"
		}
		a, err := s.try(s.token(t), http.MethodPost, path, body)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// posting offers a secret in a form of the app's.
func posting(p app, path string, form func(secret string) url.Values) func(t *testing.T, secret string) answer {
	return func(t *testing.T, secret string) answer { return p.send(t, path, form(secret)) }
}
