package oauth_test

import (
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens/oauth"
)

// Who may know of whose tokens.
func TestIntrospectionShowsAnAppItsOwnAndItsOwners(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	apps := map[string]oauth.Client{}
	for name, by := range map[string]func() (oauth.Client, string){
		"ada's": func() (oauth.Client, string) { return h.app(&h.ada) }, "bo's": func() (oauth.Client, string) { return h.app(&h.bo) },
		"nobody's": func() (oauth.Client, string) { return h.app(nil) }, "another of nobody's": func() (oauth.Client, string) { return h.app(nil) },
		"a public one of ada's": func() (oauth.Client, string) { return h.app(&h.ada, public) },
	} {
		apps[name], _ = by()
	}
	self := func(name string) string {
		got, err := h.Apps.ForItself(h.ctx, apps[name], "")
		h.must(err)
		return got.Access
	}
	alices := h.tokens(apps["nobody's"], h.ada)
	for token, row := range map[string]struct{ name, seen string }{
		alices.Access:              {"access of nobody's app for ada", "nobody's, ada's"},
		alices.Refresh:             {"refresh of nobody's app for ada", "nobody's, ada's"},
		self("ada's"):              {"ada's app by itself", "ada's"},
		self("nobody's"):           {"nobody's app by itself", "nobody's"},
		alices.Access + "x":        {"changed", ""},
		alices.Refresh + "x":       {"no refresh token", ""},
		"":                         {"nothing", ""},
		hashed(alices.Refresh):     {"what is kept of it", ""},
		strings.Repeat("a.", 2000): {"dots", ""},
	} {
		for app, c := range apps {
			got, err := h.Apps.Introspect(h.ctx, c, token)
			if c.Public {
				h.wants(row.name+" by "+app, err, oauth.ErrUnauthorizedClient)
				continue
			}
			h.must(err)
			may := false
			for one := range strings.SplitSeq(row.seen, ", ") {
				may = may || one == app
			}
			if got.Active != may || !may && got != (oauth.Introspection{}) {
				t.Errorf("%s by %s: %+v", row.name, app, got)
			}
		}
	}
	now := h.Clock.Now().Unix()
	got, err := h.Apps.Introspect(h.ctx, apps["nobody's"], alices.Access)
	h.must(err)
	want := oauth.Introspection{Active: true, Scope: everything(), Client: apps["nobody's"].ID, Username: "ada", TokenType: "Bearer", Expires: now + 3600, IssuedAt: now,
		Subject: "ada", Audience: datatest.Base + "/api/v1", Issuer: datatest.Base, ID: got.ID}
	if got != want || !strings.HasPrefix(got.ID, "at_") {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	got, err = h.Apps.Introspect(h.ctx, apps["ada's"], self("ada's"))
	if err != nil || got.Subject != apps["ada's"].ID || got.Username != "ada" {
		t.Errorf("by itself: %+v, %v", got, err)
	}
}

func TestIntrospectionKnowsWhatIsOver(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *house, c oauth.Client, got oauth.Tokens){
		"used up": func(h *house, c oauth.Client, got oauth.Tokens) {
			h.refresh(c, got.Refresh, "")
			h.must(h.Apps.Revoke(h.ctx, c, got.Access))
		},
		"revoked":             func(h *house, c oauth.Client, got oauth.Tokens) { h.must(h.Apps.Revoke(h.ctx, c, got.Refresh)) },
		"old":                 func(h *house, _ oauth.Client, _ oauth.Tokens) { h.Clock.Add(oauth.RefreshLife) },
		"of an app withdrawn": func(h *house, c oauth.Client, _ oauth.Tokens) { h.must(h.Apps.Disallow(h.ctx, h.ada, c.ID)) },
		"another password":    func(h *house, _ oauth.Client, _ oauth.Tokens) { h.users(after()["another password"]) },
		"the host is gone":    func(h *house, _ oauth.Client, _ oauth.Tokens) { h.users(after()["the host is gone"]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, datatest.SQLite(t))
			c, _ := h.app(nil)
			got := h.tokens(c, h.ada)
			for _, token := range []string{got.Access, got.Refresh} {
				if in, err := h.Apps.Introspect(h.ctx, c, token); err != nil || !in.Active {
					t.Fatalf("at first %+v, %v", in, err)
				}
			}
			end(h, c, got)
			h.Clock.Add(time.Second)
			for _, token := range []string{got.Access, got.Refresh} {
				if in, err := h.Apps.Introspect(h.ctx, c, token); err != nil || in != (oauth.Introspection{}) {
					t.Errorf("%+v, %v", in, err)
				}
			}
		})
	}
}

// An app that its owner's new password cut off knows no more of its owner.
func TestAnAppThatIsCutOffSeesNothingOfItsOwner(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	mine, _ := h.app(&h.ada)
	c, _ := h.app(nil)
	h.users(after()["another password"])
	got := h.tokens(c, h.host("ada"))
	for _, token := range []string{got.Access, got.Refresh} {
		if in, err := h.Apps.Introspect(h.ctx, mine, token); err != nil || in.Active {
			t.Errorf("%+v, %v", in, err)
		}
	}
}

// No more tokens are remembered than fit, and none wrongly.
func TestManyTokensAreReadFromABoundedMemory(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	got := h.tokens(c, h.ada)
	for range 3 {
		if !h.alive(got.Access) {
			t.Fatal("not alive")
		}
	}
	h.must(h.Apps.Store.EndAccess(h.ctx, accessID(h, got.Access), h.Clock.Millis(), event()))
	if !h.alive(got.Access) {
		t.Error("asked the database for a row that it read this moment")
	}
	h.Clock.Add(499 * time.Millisecond)
	if !h.alive(got.Access) {
		t.Error("asked again within half a second")
	}
	h.Clock.Add(time.Millisecond)
	if h.alive(got.Access) {
		t.Error("still alive after half a second")
	}
	// And a clock that was set back has it ask.
	again := h.tokens(c, h.ada)
	h.alive(again.Access)
	h.must(h.Apps.Store.EndAccess(h.ctx, accessID(h, again.Access), h.Clock.Millis(), event()))
	h.Clock.Add(-time.Minute)
	if h.alive(again.Access) {
		t.Error("alive by a clock that was set back")
	}
}

// What a limit took away is not told as if it were there, whatever the token
// itself says; and what the limit gives back is there again.
func TestIntrospectionTellsWhatATokenCanDoNow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(&h.ada)
	got := h.tokens(c, h.ada)
	own, err := h.Apps.ForItself(h.ctx, c, "")
	h.must(err)
	asking, _ := h.app(&h.ada)
	for _, row := range []struct {
		limit                  oauth.Scopes
		access, alone, refresh string // the scopes, "-" for not active
	}{
		{oauth.Scopes{oauth.RoomsRead, oauth.Redeem, oauth.Offline}, "rooms:read redeem offline_access", "rooms:read redeem", "rooms:read redeem offline_access"},
		{oauth.Scopes{oauth.RoomsRead}, "rooms:read", "rooms:read", "-"}, // without offline_access nothing is refreshed
		{oauth.All(), everything(), strings.TrimSuffix(everything(), " offline_access"), everything()},
	} {
		h.must(h.Apps.Limit(h.ctx, h.ada, c.ID, row.limit))
		limited, err := h.Apps.Store.Client(h.ctx, c.ID)
		h.must(err)
		for _, by := range []oauth.Client{limited, asking} {
			for token, want := range map[string]string{got.Access: row.access, own.Access: row.alone, got.Refresh: row.refresh} {
				in, err := h.Apps.Introspect(h.ctx, by, token)
				h.must(err)
				if !in.Active {
					in.Scope = "-"
				}
				if in.Scope != want {
					t.Errorf("limited to %s: it says %q, want %q", row.limit, in.Scope, want)
				}
			}
		}
	}
}
