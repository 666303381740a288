package oauth_test

import (
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens/oauth"
)

func TestARefreshTokenWorksOnceAndItsSecondUseEndsTheFamily(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		for replayed := range 3 {
			first := h.tokens(c, h.ada)
			chain := []oauth.Tokens{first}
			for range 3 {
				chain = append(chain, h.refresh(c, chain[len(chain)-1].Refresh, ""))
			}
			if !h.alive(first.Access) || !h.alive(chain[3].Access) {
				t.Fatal("rotation alone ends an access token")
			}
			_, err := h.Apps.Refresh(h.ctx, c, chain[replayed].Refresh, "")
			h.wants("the second use", err, oauth.ErrInvalidGrant)
			h.dead(c, chain[3].Refresh, chain[0].Access, chain[1].Access, chain[2].Access, chain[3].Access)
		}
	})
}

func TestRefreshingAsksForLessAndNeverForMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	got := h.tokens(c, h.ada, scope("rooms:read redeem offline_access"))
	for _, wide := range []string{"rooms:write", "rooms:read rooms:write", everything(), "rooms:read invitations:host", "admin", "rooms:read admin"} {
		_, err := h.Apps.Refresh(h.ctx, c, got.Refresh, wide)
		h.wants(wide, err, oauth.ErrInvalidScope)
	}
	less := h.refresh(c, got.Refresh, "redeem")
	if less.Scopes.String() != "redeem" {
		t.Errorf("asked for less, got %s", less.Scopes)
	}
	if b, err := h.Apps.Read(h.ctx, less.Access); err != nil || b.Scopes.String() != "redeem" {
		t.Errorf("%+v, %v", b, err)
	}
	// RFC 6749, 6: the new refresh token is for what the former was for.
	if again := h.refresh(c, less.Refresh, ""); again.Scopes.String() != "rooms:read redeem offline_access" {
		t.Errorf("afterwards %s", again.Scopes)
	}
	if none := h.tokens(c, h.ada, scope("rooms:read")); none.Refresh != "" {
		t.Error("a refresh token without offline_access")
	}
}

func TestARefreshTokenIsItsClientsAndItsHosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	other, _ := h.app(&h.ada)
	got := h.tokens(c, h.ada)
	_, err := h.Apps.Refresh(h.ctx, other, got.Refresh, "")
	h.wants("another client", err, oauth.ErrInvalidGrant)
	got = h.refresh(c, got.Refresh, "") // and the try did no harm
	for _, text := range []string{"", got.Refresh + "a", hashed(got.Refresh)} {
		_, err := h.Apps.Refresh(h.ctx, c, text, "")
		h.wants("no refresh token", err, oauth.ErrInvalidGrant)
	}
	h.Clock.Add(oauth.RefreshLife - time.Millisecond)
	got = h.refresh(c, got.Refresh, "")
	h.Clock.Add(oauth.RefreshLife)
	_, err = h.Apps.Refresh(h.ctx, c, got.Refresh, "")
	h.wants("not used for sixty days", err, oauth.ErrInvalidGrant)

	for name, users := range after() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, datatest.SQLite(t))
			c, _ := h.app(nil)
			got, bos := h.tokens(c, h.ada), h.tokens(c, h.bo)
			h.users(users)
			h.dead(c, got.Refresh, got.Access)
			if !h.alive(bos.Access) {
				t.Error("another host's ended too")
			}
		})
	}
}

// Within a second, on every instance, whatever ended it.
func TestWhatEndsTokensEndsThemEverywhere(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *house, c oauth.Client, got oauth.Tokens, code string){
		"the app revokes the refresh token": func(h *house, c oauth.Client, got oauth.Tokens, _ string) {
			h.must(h.Apps.Revoke(h.ctx, c, got.Refresh))
		},
		"the host withdraws it": func(h *house, c oauth.Client, _ oauth.Tokens, _ string) { h.must(h.Apps.Disallow(h.ctx, h.ada, c.ID)) },
		"an admin removes it":   func(h *house, c oauth.Client, _ oauth.Tokens, _ string) { h.must(h.Apps.Remove(h.ctx, h.ada, c.ID)) },
		"the code comes again":  func(h *house, c oauth.Client, _ oauth.Tokens, code string) { _, _ = h.exchange(c, code) },
		"a refresh token of before comes again": func(h *house, c oauth.Client, got oauth.Tokens, _ string) {
			h.refresh(c, got.Refresh, "")
			_, _ = h.Apps.Refresh(h.ctx, c, got.Refresh, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
				h := newHouse(t, b)
				c, _ := h.app(nil)
				code := h.code(c, h.ada)
				got, err := h.exchange(c, code)
				h.must(err)
				elsewhere := h.second()
				if _, err := elsewhere.Read(h.ctx, got.Access); err != nil || !h.alive(got.Access) {
					t.Fatal(err)
				}
				end(h, c, got, code)
				if h.alive(got.Access) {
					t.Error("alive here")
				}
				h.Clock.Add(time.Second)
				_, err = elsewhere.Read(h.ctx, got.Access)
				h.wants("elsewhere a second later", err, oauth.ErrInvalidToken)
			})
		})
	}
}

func TestAnAccessTokenIsRevokedByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	other, _ := h.app(&h.ada)
	got := h.tokens(c, h.ada)
	next := h.refresh(c, got.Refresh, "")
	for _, token := range []string{got.Access, next.Refresh} {
		h.wants("another client's", h.Apps.Revoke(h.ctx, other, token), oauth.ErrUnauthorizedClient)
	}
	if !h.alive(got.Access) {
		t.Error("another client ended it")
	}
	for range 2 {
		h.wants("its own", h.Apps.Revoke(h.ctx, c, got.Access), nil)
		if h.alive(got.Access) || !h.alive(next.Access) {
			t.Error("not ended, or its sister too")
		}
	}
	for _, text := range []string{"", "nothing", "a.b.c", "..", got.Access + "x", hashed(next.Refresh)} {
		h.wants("no token: "+text, h.Apps.Revoke(h.ctx, c, text), nil)
	}
	if !h.alive(next.Access) {
		t.Error("ended by what is no token")
	}
	// One of before names the family as well.
	h.must(h.Apps.Revoke(h.ctx, c, got.Refresh))
	h.dead(c, next.Refresh, next.Access)
	if n := h.count("SELECT COUNT(*) FROM events WHERE kind = 'client.token_ended'"); n != 2 {
		t.Errorf("%d events, want one for each that ended", n)
	}
	h.Clock.Add(2 * oauth.AccessLife)
	h.wants("one that is over", h.Apps.Revoke(h.ctx, c, got.Access), nil)
}
