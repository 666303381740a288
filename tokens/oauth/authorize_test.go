package oauth_test

import (
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

func TestConsentIsRemembered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil, func(d *oauth.Draft) { d.Redirects = []string{back, oauth.OOB} })
	open, _ := h.app(nil, public)
	ask := func(c oauth.Client, to, scope string) oauth.Asked {
		t.Helper()
		a, err := h.Apps.Ask(h.ctx, oauth.Request{ClientID: c.ID, Redirect: to, ResponseType: "code", Scope: scope, Challenge: challenge, Method: "S256"})
		h.must(err)
		return a
	}
	is := func(what string, host hosts.Host, a oauth.Asked, want bool) {
		t.Helper()
		got, err := h.Apps.Remembered(h.ctx, host, a)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	is("never asked", h.ada, ask(c, back, "rooms:read"), false)
	for _, one := range []oauth.Client{c, open} {
		_, err := h.Apps.Allow(h.ctx, h.ada, ask(one, back, "rooms:read redeem"))
		h.must(err)
	}
	is("the same", h.ada, ask(c, back, "rooms:read redeem"), true)
	is("less", h.ada, ask(c, back, "redeem"), true)
	is("more", h.ada, ask(c, back, "redeem webhooks"), false)
	is("another host", h.bo, ask(c, back, "redeem"), false)
	is("a public app, which anybody can say to be", h.ada, ask(open, back, "redeem"), false)
	is("a code that is shown", h.ada, ask(c, oauth.OOB, "redeem"), false)
	h.must(h.Apps.Disallow(h.ctx, h.ada, c.ID))
	is("withdrawn", h.ada, ask(c, back, "redeem"), false)
	_, err := h.Apps.Allow(h.ctx, h.ada, ask(c, back, "redeem"))
	h.must(err)
	h.users(after()["another password"])
	is("another password", h.host("ada"), ask(c, back, "redeem"), false)
}

// Who may ask, and where the answer goes.
func TestARequestIsShownHereUntilItsAddressCanBeTrusted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	two, _ := h.app(nil, func(d *oauth.Draft) { d.Redirects = []string{back, back + "2"} })
	none, _ := h.app(&h.ada, func(d *oauth.Draft) { d.Redirects = nil })
	gone, _ := h.app(nil)
	h.must(h.Apps.Remove(h.ctx, h.ada, gone.ID))
	for name, row := range map[string]struct {
		id, to string
		want   error
		where  string
	}{
		"its address":              {c.ID, back, nil, back},
		"its only one":             {c.ID, "", nil, back},
		"one of two":               {two.ID, back + "2", nil, back + "2"},
		"which of two":             {two.ID, "", oauth.ErrInvalidRedirect, ""},
		"both":                     {two.ID, back + "\n" + back + "2", oauth.ErrInvalidRedirect, ""},
		"another":                  {c.ID, "https://evil.example/", oauth.ErrInvalidRedirect, ""},
		"one that begins like it":  {c.ID, back + "/../evil", oauth.ErrInvalidRedirect, ""},
		"one that it begins like":  {c.ID, back[:len(back)-1], oauth.ErrInvalidRedirect, ""},
		"another letter case":      {c.ID, "https://GATE.example/back", oauth.ErrInvalidRedirect, ""},
		"the default port":         {c.ID, "https://gate.example:443/back", oauth.ErrInvalidRedirect, ""},
		"an app without addresses": {none.ID, "", oauth.ErrInvalidRedirect, ""},
		"shown, not registered":    {c.ID, oauth.OOB, oauth.ErrInvalidRedirect, ""},
		"no app":                   {"", back, oauth.ErrInvalidClient, ""},
		"an app that is not there": {"app~none", back, oauth.ErrInvalidClient, ""},
		"a host":                   {"ada", back, oauth.ErrInvalidClient, ""},
		"an app that was removed":  {gone.ID, back, oauth.ErrInvalidClient, ""},
	} {
		a, err := h.Apps.Ask(h.ctx, oauth.Request{ClientID: row.id, Redirect: row.to, ResponseType: "code", State: "s"})
		h.wants(name, err, row.want)
		if a.Redirect != row.where {
			t.Errorf("%s: the answer goes to %q", name, a.Redirect)
		}
	}
	for name, row := range map[string]struct {
		request oauth.Request
		want    error
	}{
		"no response type":      {oauth.Request{}, oauth.ErrInvalidRequest},
		"the implicit grant":    {oauth.Request{ResponseType: "token"}, oauth.ErrUnsupportedResponseType},
		"a hybrid":              {oauth.Request{ResponseType: "code token"}, oauth.ErrUnsupportedResponseType},
		"in capitals":           {oauth.Request{ResponseType: "CODE"}, oauth.ErrUnsupportedResponseType},
		"an unknown scope":      {oauth.Request{ResponseType: "code", Scope: "admin"}, oauth.ErrInvalidScope},
		"more than the app may": {oauth.Request{ResponseType: "code", Scope: "webhooks"}, oauth.ErrInvalidScope},
	} {
		h.must(h.Apps.Limit(h.ctx, h.ada, c.ID, oauth.Scopes{oauth.Redeem}))
		row.request.ClientID, row.request.Redirect, row.request.State = c.ID, back, "s"
		a, err := h.Apps.Ask(h.ctx, row.request)
		h.wants(name, err, row.want)
		if a.Redirect != back || a.State != "s" {
			t.Errorf("%s: the app is not told: %+v", name, a)
		}
	}
}

// An app on a host's own machine takes whatever port is free (RFC 8252, 7.3); all
// else of its address is taken letter by letter, and so is a port that was
// registered.
func TestAnAppOnThisMachineListensAtAnyPort(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil, public, func(d *oauth.Draft) {
		d.Redirects = []string{"http://127.0.0.1/back?a=b", "http://[::1]/back", "http://localhost:7000/back", "https://127.0.0.1/back"}
	})
	ask := func(to string) (oauth.Asked, error) {
		return h.Apps.Ask(h.ctx, oauth.Request{ClientID: c.ID, Redirect: to, ResponseType: "code", Challenge: challenge, Method: "S256"})
	}
	for _, to := range []string{"http://127.0.0.1:51004/back?a=b", "http://127.0.0.1/back?a=b", "http://[::1]:1/back", "http://[::1]:65535/back", "http://localhost:7000/back"} {
		a, err := ask(to)
		h.wants(to, err, nil)
		if a.Redirect != to {
			t.Errorf("%s: the answer goes to %q", to, a.Redirect)
		}
		code, err := h.Apps.Allow(h.ctx, h.ada, a)
		h.must(err)
		_, err = h.Apps.Exchange(h.ctx, c, code, strings.Replace(to, "/back", ":52000/back", 1), verifier)
		h.wants(to+" at another port", err, oauth.ErrInvalidGrant)
		_, err = h.Apps.Exchange(h.ctx, c, code, to, verifier)
		h.wants(to, err, nil)
	}
	for _, to := range []string{
		"http://localhost:7001/back", "http://localhost/back", "https://127.0.0.1:51004/back", "http://127.0.0.2:51004/back?a=b", "http://127.0.0.1:51004/back", "http://127.0.0.1:51004/back?a=b&c=d",
		"http://127.0.0.1:51004/back?a=b#", "http://127.0.0.1:51004/Back?a=b", "HTTP://127.0.0.1:51004/back?a=b", "http://127.0.0.1:/back?a=b", "http://127.0.0.1:0/back?a=b", "http://127.0.0.1:080/back?a=b",
		"http://127.0.0.1:65536/back?a=b", "http://127.0.0.1:51004@evil.example/back?a=b", "http://evil.example:51004/back?a=b", "http://127.0.0.1:51004.evil.example/back?a=b", "http://127.0.0.1.evil.example:51004/back?a=b",
		"http://u@127.0.0.1:51004/back?a=b", "http://127.0.0.1:51004\\@evil.example/back?a=b", "http://[::1]/back?a=b", "http://[0:0:0:0:0:0:0:1]:51004/back", "http://127.0.0.1::51004/back?a=b", "http://127.0.0.1:51004:1/back?a=b",
	} {
		if a, err := ask(to); err == nil || a.Redirect != "" {
			t.Errorf("%s: taken, to %q", to, a.Redirect)
		}
	}
}
