package oauth_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

func TestAKeyActsForItsHostWithinItsScopes(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		k, text, err := h.Apps.MakeKey(h.ctx, h.bo, " Gate ", oauth.Scopes{oauth.RoomsRead, oauth.Offline})
		h.must(err)
		if !regexp.MustCompile(`^ao_[a-z2-7]{40}$`).MatchString(text) || k.Name != "Gate" || k.Scopes.String() != "rooms:read" {
			t.Errorf("%q %+v", text, k)
		}
		got, err := h.Apps.ReadKey(h.ctx, text)
		h.must(err)
		id := k.ID.Show(oauth.KeyIDPrefix)
		if got.Owner != "bo" || got.Admin || got.Nobody || got.Client != id || got.Actor != (audit.Actor{Kind: audit.Client, Name: id}) || got.Scopes.String() != "rooms:read" {
			t.Errorf("%+v", got)
		}
		for _, wrong := range []string{"", "ao_", text + "a", text[:len(text)-1], strings.ToUpper(text), k.Hash, text + "\x00", " " + text} {
			_, err := h.Apps.ReadKey(h.ctx, wrong)
			h.wants("another text", err, oauth.ErrInvalidToken)
		}
		// What the database has of it, whoever reads all of it.
		for _, column := range []string{"name", "host", "credential", "scopes", "hash"} {
			if n := h.count("SELECT COUNT(*) FROM api_keys WHERE "+column+" LIKE $1", "%"+text[3:20]+"%"); n != 0 {
				t.Errorf("%s holds the key", column)
			}
		}
		if n := h.count("SELECT COUNT(*) FROM events WHERE detail LIKE $1", "%"+text[3:20]+"%"); n != 0 {
			t.Error("history holds the key")
		}
		if k.Hash != hashed(text) {
			t.Error("kept otherwise than as its hash")
		}
	})
}

func TestAKeySaysWhenItWasLastUsed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	_, text, err := h.Apps.MakeKey(h.ctx, h.ada, "Gate", oauth.All())
	h.must(err)
	used := func() int64 {
		t.Helper()
		list, err := h.Apps.Keys(h.ctx, h.ada)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0].UsedAt
	}
	read := func() {
		t.Helper()
		_, err := h.Apps.ReadKey(h.ctx, text)
		h.must(err)
	}
	if used() != 0 {
		t.Error("used before it was")
	}
	read()
	first := h.Clock.Millis()
	h.Clock.Add(time.Minute - time.Millisecond)
	read()
	if used() != first {
		t.Error("noted more often than once a minute")
	}
	h.Clock.Add(time.Millisecond)
	read()
	if used() != first+60_000 {
		t.Error("not noted after a minute")
	}
}

func TestAKeyEnds(t *testing.T) {
	t.Parallel()
	ends := map[string]func(h *house, k oauth.APIKey){
		"its host removes it": func(h *house, k oauth.APIKey) { h.must(h.Apps.RemoveKey(h.ctx, h.ada, k.ID)) },
	}
	for name, users := range after() {
		ends[name] = func(h *house, _ oauth.APIKey) { h.users(users) }
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, datatest.SQLite(t))
			k, text, err := h.Apps.MakeKey(h.ctx, h.ada, "Gate", oauth.All())
			h.must(err)
			_, bos, err := h.Apps.MakeKey(h.ctx, h.bo, "Gate", oauth.All())
			h.must(err)
			h.wants("another host", h.Apps.RemoveKey(h.ctx, h.bo, k.ID), rooms.ErrNotFound)
			_, err = h.Apps.ReadKey(h.ctx, text)
			h.must(err)
			end(h, k)
			_, err = h.Apps.ReadKey(h.ctx, text)
			h.wants("the key", err, oauth.ErrInvalidToken)
			if again, err := h.Apps.Directory.ByName(h.ctx, "ada"); err == nil {
				if list, err := h.Apps.Keys(h.ctx, again); err != nil || len(list) != 0 {
					t.Errorf("listed still: %+v, %v", list, err)
				}
			}
			_, err = h.Apps.ReadKey(h.ctx, bos)
			h.wants("another host's key", err, nil)
		})
	}
}

func TestAKeyHasANameAndARight(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	var invalid rooms.Invalid
	for _, name := range []string{"", "  ", strings.Repeat("x", 101)} {
		if _, text, err := h.Apps.MakeKey(h.ctx, h.ada, name, oauth.All()); !errors.As(err, &invalid) || text != "" {
			t.Errorf("%q: %q, %v", name, text, err)
		}
	}
	for _, scopes := range []oauth.Scopes{nil, {oauth.Offline}} {
		_, text, err := h.Apps.MakeKey(h.ctx, h.ada, "Gate", scopes)
		h.wants("no right", err, oauth.ErrInvalidScope)
		if text != "" {
			t.Error("a key nevertheless")
		}
	}
	if n := h.count("SELECT COUNT(*) FROM api_keys"); n != 0 {
		t.Errorf("%d keys", n)
	}
}
