package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// A token of each kind, offered wherever one of any kind is read: it passes for
// its own and for no other.
func TestATokenOfOneKindPassesForNoOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	room, err := h.Rooms.Create(h.ctx, h.ada.Caller(), rooms.Draft{Name: "Standup"})
	h.must(err)
	inv, err := h.Invitations.Mint(h.ctx, h.ada.Caller(), room, tokens.Draft{Role: tokens.Guest}, true)
	h.must(err)
	invite, err := h.Invitations.Links.Token(inv)
	h.must(err)
	scripts := &hosts.Tokens{Ring: h.Ring, Directory: h.Apps.Directory, Base: datatest.Base, Now: h.Clock.Now}
	script, err := scripts.Mint(h.ada)
	h.must(err)
	c, secret := h.app(&h.ada)
	_, key, err := h.Apps.MakeKey(h.ctx, h.ada, "Gate", oauth.All())
	h.must(err)
	got := h.tokens(c, h.ada)

	kinds := map[string]string{"invitation's JWT": invite, "short code": h.Invitations.Links.Code(inv.ID), "host's token": script, "access token": got.Access,
		"refresh token": got.Refresh, "API key": key, "code": h.code(c, h.ada), "secret": secret, "app's id": c.ID}
	readers := map[string]struct {
		takes string
		read  func(text string) bool
	}{
		"as a link": {"invitation's JWT, short code", func(text string) bool {
			_, _, err := h.Invitations.Links.Read(h.ctx, text)
			return err == nil
		}},
		"as a host's token": {"host's token", func(text string) bool { _, err := scripts.Read(h.ctx, text); return err == nil }},
		"as an access token": {"access token", func(text string) bool {
			_, err := h.Apps.Read(h.ctx, text)
			h.wants("read", err, map[bool]error{false: oauth.ErrInvalidToken}[err == nil])
			return err == nil
		}},
		"as an API key": {"API key", func(text string) bool { _, err := h.Apps.ReadKey(h.ctx, text); return err == nil }},
		"to be introspected": {"access token, refresh token", func(text string) bool {
			in, err := h.Apps.Introspect(h.ctx, c, text)
			h.must(err)
			return in.Active
		}},
		"for a code":    {"code", func(text string) bool { _, err := h.exchange(c, text); return err == nil }},
		"for a refresh": {"refresh token", func(text string) bool { _, err := h.Apps.Refresh(h.ctx, c, text, ""); return err == nil }},
		"for a secret":  {"secret", func(text string) bool { _, err := h.Apps.Authenticate(h.ctx, c.ID, text); return err == nil }},
	}
	// What is used up by being read comes last.
	for _, how := range []string{"as a link", "as a host's token", "as an access token", "as an API key", "to be introspected", "for a secret", "for a code", "for a refresh"} {
		for kind, text := range kinds {
			takes := strings.Contains(", "+readers[how].takes+", ", ", "+kind+", ")
			if readers[how].read(text) != takes {
				t.Errorf("%s %s: taken %v", kind, how, !takes)
			}
		}
	}
	for kind, text := range kinds {
		if kind != "access token" && oauth.IsAccess(text) || kind == "access token" && !oauth.IsAccess(text) {
			t.Errorf("%s is told from an access token wrongly", kind)
		}
		if kind != "access token" && kind != "refresh token" {
			h.wants("revoking "+kind, h.Apps.Revoke(h.ctx, c, text), nil)
		}
	}
	if _, err := scripts.Read(h.ctx, script); err != nil || !h.alive(got.Access) {
		t.Errorf("revoking one kind ended another: %v", err)
	}
	if strings.HasPrefix(key, oauth.KeyPrefix) == strings.HasPrefix(got.Access, oauth.KeyPrefix) {
		t.Error("an access token looks like an API key")
	}
}

// RFC 9068, 2: these members and no others.
func TestAnAccessTokenIsExactlyTheRFCs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(&h.bo)
	hosts, err := h.exchange(c, h.code(c, h.ada))
	h.must(err)
	own, err := h.Apps.ForItself(h.ctx, c, "redeem")
	h.must(err)
	for subject, got := range map[string]oauth.Tokens{"ada": hosts, c.ID: own} {
		part := strings.Split(got.Access, ".")
		var header, claims map[string]any
		for i, into := range []*map[string]any{&header, &claims} {
			raw, err := base64.RawURLEncoding.DecodeString(part[i])
			h.must(err)
			h.must(json.Unmarshal(raw, into))
		}
		now := float64(h.Clock.Now().Unix())
		want := map[string]any{"iss": datatest.Base, "aud": datatest.Base + "/api/v1", "sub": subject, "client_id": c.ID, "scope": got.Scopes.String(),
			"iat": now, "exp": now + 3600, "jti": claims["jti"]}
		if len(claims) != len(want) || len(header) != 3 || header["typ"] != "at+jwt" {
			t.Errorf("%v %v", header, claims)
		}
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s is %v, want %v", name, claims[name], value)
			}
		}
		if !strings.HasPrefix(claims["jti"].(string), "at_") {
			t.Errorf("jti %v", claims["jti"])
		}
	}
}

// accessID is the row that an access token names.
func accessID(h *house, token string) rooms.ID {
	h.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	h.must(err)
	var claims struct{ Jti string }
	h.must(json.Unmarshal(raw, &claims))
	id, err := rooms.ParseID("at_", claims.Jti)
	h.must(err)
	return id
}

func event() audit.Event {
	return audit.Event{At: 1, Actor: audit.Actor{Kind: audit.System, Name: "test"}, Kind: audit.ClientTokenEnded}
}
