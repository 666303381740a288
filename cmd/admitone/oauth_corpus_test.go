package main

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// once has 16 callers send the same form at the same moment, spread over the
// fleet, and returns what the only one got whose request was granted. Whoever
// came later was a thief, or the one who was robbed: nothing may be left of it.
func once(t *testing.T, fleet []*server, p app, form url.Values) (won granted) {
	t.Helper()
	answers := atOnce(16, func(i int) answer { return p.at(fleet[i%len(fleet)]).send(t, "/oauth/token", form) })
	for _, a := range answers {
		switch a.Status {
		case http.StatusOK:
			won = granted{a.Get("access_token"), a.Get("refresh_token")}
		case http.StatusTooManyRequests: // ten wrong ones are free
		default:
			refuses(t, a, http.StatusBadRequest, "invalid_grant")
		}
	}
	if n := count(answers, http.StatusOK); n != 1 {
		t.Errorf("%d of 16 were granted, want 1", n)
	}
	return won
}

func TestACodeThatManySendAtOnceIsGrantedOnceAndThenWorthNothing(t *testing.T) {
	t.Parallel()
	oauthFleet(t, func(t *testing.T, fleet []*server) {
		p := fleet[0].register(t)
		won := once(t, fleet, p, exchange(p.code(t, everything())))
		for _, s := range fleet {
			s.ends(t, won.Access)
		}
		other := fleet[len(fleet)-1]
		if a := p.at(other).send(t, "/oauth/token", refresh(won.Refresh)); a.Status == http.StatusOK {
			t.Errorf("what is left is refreshed: %v", a)
		}
		if a := p.at(other).send(t, "/oauth/introspect", url.Values{"token": {won.Refresh}}); a.Status != http.StatusOK || string(a.Body) != "{\"active\":false}\n" {
			t.Errorf("introspecting what is left: %v", a)
		}
	})
}

func TestARefreshTokenThatManySendAtOnceIsGrantedOnceAndEndsItsFamily(t *testing.T) {
	t.Parallel()
	oauthFleet(t, func(t *testing.T, fleet []*server) {
		p := fleet[0].register(t)
		first := p.allowed(t)
		won := once(t, fleet, p, refresh(first.Refresh))
		for _, s := range fleet {
			s.ends(t, first.Access)
			s.ends(t, won.Access)
		}
		// A family ends; what the host allows anew is another one.
		if again := p.allowed(t); !fleet[0].works(t, again.Access) {
			t.Error("the app gets nothing more")
		}
	})
}

// TestWhatIsRevokedEndsOnTheOtherInstance: within a second, though that one has
// just found it good.
func TestWhatIsRevokedEndsOnTheOtherInstanceWithinASecond(t *testing.T) {
	t.Parallel()
	oauthFleet(t, func(t *testing.T, fleet []*server) {
		here, there := fleet[0], fleet[len(fleet)-1]
		p := here.register(t)
		for _, what := range []string{"access", "refresh"} {
			got, other := p.allowed(t), p.allowed(t)
			for _, token := range []string{got.Access, other.Access} {
				if !there.works(t, token) {
					t.Fatal("an access token does not work on the other instance")
				}
			}
			token := map[string]string{"access": got.Access, "refresh": got.Refresh}[what]
			for range 2 {
				if a := p.send(t, "/oauth/revoke", url.Values{"token": {token}}); a.Status != http.StatusOK || string(a.Body) != "{}\n" {
					t.Errorf("revoke: %v", a)
				}
			}
			if here.works(t, got.Access) {
				t.Errorf("%s: it works where it was revoked", what)
			}
			there.ends(t, got.Access)
			if a := p.at(there).send(t, "/oauth/introspect", url.Values{"token": {got.Access}}); string(a.Body) != "{\"active\":false}\n" {
				t.Errorf("%s: introspected elsewhere: %v", what, a)
			}
			if !there.works(t, other.Access) {
				t.Errorf("%s: another grant's token has ended too", what)
			}
			// The refresh token outlives an access token, and nothing outlives the refresh token.
			if a := p.at(there).send(t, "/oauth/token", refresh(got.Refresh)); (a.Status == http.StatusOK) != (what == "access") {
				t.Errorf("%s: refreshing: %v", what, a)
			}
		}
	})
}

// TestRevokingEndsWhatIsRefreshedAtTheSameMoment: whichever comes first, nothing
// is left that works.
func TestRevokingEndsWhatIsRefreshedAtTheSameMoment(t *testing.T) {
	t.Parallel()
	oauthFleet(t, func(t *testing.T, fleet []*server) {
		p := fleet[0].register(t)
		for range 5 {
			got := p.allowed(t)
			answers := atOnce(2, func(i int) answer {
				if i == 0 {
					return p.send(t, "/oauth/token", refresh(got.Refresh))
				}
				return p.at(fleet[len(fleet)-1]).send(t, "/oauth/revoke", url.Values{"token": {got.Refresh}})
			})
			if answers[1].Status != http.StatusOK {
				t.Fatalf("revoke: %v", answers[1])
			}
			for _, s := range fleet {
				s.ends(t, got.Access)
				if next := answers[0].Get("access_token"); next != "" {
					s.ends(t, next)
				}
			}
			if next := answers[0].Get("refresh_token"); next != "" {
				refuses(t, p.send(t, "/oauth/token", refresh(next)), http.StatusBadRequest, "invalid_grant")
			}
		}
	})
}

// TestWhatAHostWithdrawsEndsOnEveryInstance: an app's leave, an app, a key; and
// with another password all of it.
func TestWhatAHostWithdrawsEndsOnEveryInstanceWithinASecond(t *testing.T) {
	t.Parallel()
	oauthFleet(t, func(t *testing.T, fleet []*server) {
		s := fleet[0]
		host := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
		allowed, removed, stays := s.register(t), s.makeApp(t, "rooms:read"), s.register(t)
		at, key := s.makes(t, "/account/keys", url.Values{"name": {"Another script"}, "scope": {"rooms:read"}})
		kept := stays.allowed(t)
		for name, w := range map[string]struct{ path, token string }{
			"leave": {"/account/apps/" + allowed.ID + "/withdraw", allowed.allowed(t).Access},
			"app":   {"/account/apps/" + removed.ID + "/remove", removed.grant(t, url.Values{"grant_type": {"client_credentials"}}).Access},
			"key":   {at + "/remove", key},
		} {
			for _, one := range fleet {
				if !one.works(t, w.token) {
					t.Fatalf("%s: it does not work yet", name)
				}
			}
			if a := host.visit(t, http.MethodPost, w.path, url.Values{}); a.Status != http.StatusSeeOther {
				t.Fatalf("%s: %v", name, a)
			}
			for _, one := range fleet {
				one.ends(t, w.token)
			}
		}
		if a := removed.send(t, "/oauth/token", url.Values{"grant_type": {"client_credentials"}}); a.Status != http.StatusUnauthorized {
			t.Errorf("the app that was removed: %v", a)
		}
		last := s.makeKey(t, "rooms:read")
		for _, one := range fleet {
			if !one.works(t, kept.Access) || !one.works(t, last) {
				t.Fatal("what was not withdrawn has ended")
			}
		}
		for _, one := range fleet {
			one.env = append(one.env, `HOST_USERS=[{"username":"`+hostName+`","password":"quiet-pond-8823-marble","admin":true}]`) // gitleaks:allow
			one.Restart()
			if one.works(t, kept.Access) || one.works(t, last) {
				t.Error("another password has ended nothing")
			}
			refuses(t, stays.at(one).send(t, "/oauth/token", refresh(kept.Refresh)), http.StatusBadRequest, "invalid_grant")
		}
	})
}

func TestAnotherClientsThingsAreOfNoUse(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	owner, thief := s.register(t), s.register(t)
	code := owner.code(t, everything())
	refuses(t, thief.send(t, "/oauth/token", exchange(code)), http.StatusBadRequest, "invalid_grant")
	got := owner.grant(t, exchange(code)) // the thief has not even used it up
	refuses(t, thief.send(t, "/oauth/token", refresh(got.Refresh)), http.StatusBadRequest, "invalid_grant")
	for _, token := range []string{got.Access, got.Refresh} {
		refuses(t, thief.send(t, "/oauth/revoke", url.Values{"token": {token}}), http.StatusBadRequest, "unauthorized_client")
		if a := thief.send(t, "/oauth/introspect", url.Values{"token": {token}}); string(a.Body) != "{\"active\":false}\n" {
			t.Errorf("the thief sees %v", a)
		}
	}
	if !s.works(t, got.Access) {
		t.Error("the owner's access token has ended")
	}
	next := owner.grant(t, refresh(got.Refresh))
	if !s.works(t, next.Access) {
		t.Error("the owner's refreshed token does not work")
	}
}

func TestRefreshingAsksForLessAndNeverForMore(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.register(t)
	got := p.grant(t, exchange(p.code(t, "rooms:read redeem offline_access")))
	with := func(scope string) answer {
		form := refresh(got.Refresh)
		form.Set("scope", scope)
		return p.send(t, "/oauth/token", form)
	}
	for _, more := range []string{"rooms:read rooms:write", "invitations:host", everything(), "admin", "rooms:read,redeem", "ROOMS:READ"} {
		refuses(t, with(more), http.StatusBadRequest, "invalid_scope")
	}
	less := with("redeem") // refusing has not used the token up
	if less.Status != http.StatusOK || less.Get("scope") != "redeem" {
		t.Fatalf("asking for less: %v", less)
	}
	if a, err := s.try(less.Get("access_token"), http.MethodGet, "/rooms", nil); err != nil || a.Status != http.StatusForbidden {
		t.Errorf("rooms with less: %v %v", a, err)
	}
	got.Refresh = less.Get("refresh_token")
	if a := with(""); a.Get("scope") != "rooms:read redeem offline_access" {
		t.Errorf("asking for nothing, which is for all that was allowed: %v", a)
	}
}

// TestParametersComeOnceAndInTheBody: nothing is granted to who says a thing
// twice, in two places, or where it is kept in logs.
func TestParametersComeOnceAndInTheBody(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.register(t)
	code := p.code(t, everything())
	good := exchange(code)

	a, err := s.send(request(t, http.MethodGet, s.URL+"/oauth/token?"+good.Encode()))
	if err != nil || a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") == "" {
		t.Errorf("GET: %v %v, %v", a, err, a.Header)
	}
	for _, name := range []string{"grant_type", "code", "redirect_uri"} {
		form := exchange(code)
		form.Add(name, form.Get(name))
		refuses(t, p.send(t, "/oauth/token", form), http.StatusBadRequest, "invalid_request")
		refuses(t, p.send(t, "/oauth/token?"+url.Values{name: {good.Get(name)}}.Encode(), good), http.StatusBadRequest, "invalid_request")
	}
	both := exchange(code)
	both.Set("client_id", p.ID)
	both.Set("client_secret", p.Secret)
	refuses(t, p.send(t, "/oauth/token", both), http.StatusBadRequest, "invalid_request")
	for name, body := range map[string]string{
		"a code twice in JSON": fmt.Sprintf(`{"grant_type":"authorization_code","code":%q,"code":%q,"redirect_uri":%q,"client_id":%q,"client_secret":%q}`, code, code, redirect, p.ID, p.Secret),
		"a list of codes":      fmt.Sprintf(`{"grant_type":"authorization_code","code":[%q],"redirect_uri":%q,"client_id":%q,"client_secret":%q}`, code, redirect, p.ID, p.Secret),
	} {
		r := request(t, http.MethodPost, s.URL+"/oauth/token", body)
		r.Header.Set("Content-Type", "application/json")
		if a, err := s.send(r); err != nil || a.Status != http.StatusBadRequest || a.Get("error") != "invalid_request" {
			t.Errorf("%s: %v %v", name, a, err)
		}
	}
	p.grant(t, good) // none of these has used it up

	host := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
	for _, again := range []string{"client_id", "redirect_uri", "scope", "state", "response_type"} {
		link := p.link("rooms:read") + "&" + url.Values{again: {"rooms:read"}}.Encode()
		if a := host.visit(t, http.MethodGet, link, nil); a.Status != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s twice at authorize: %v", again, a)
		}
	}
}
