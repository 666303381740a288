package oauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

func TestACodeGivesTokensForItsHostAndScopes(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		got := h.tokens(c, h.bo, scope("rooms:read redeem"))
		if got.Refresh != "" || got.Scopes.String() != "rooms:read redeem" {
			t.Errorf("%+v", got)
		}
		bearer, err := h.Apps.Read(h.ctx, got.Access)
		h.must(err)
		want := rooms.Caller{Actor: audit.Actor{Kind: audit.Client, Name: c.ID}, Owner: "bo"}
		if bearer.Actor != want.Actor || bearer.Owner != want.Owner || bearer.Admin || bearer.Nobody || bearer.Client != c.ID || bearer.Scopes.String() != "rooms:read redeem" {
			t.Errorf("%+v", bearer)
		}
		h.Clock.Add(oauth.AccessLife - time.Second)
		if !h.alive(got.Access) {
			t.Error("over a second too soon")
		}
		h.Clock.Add(time.Second)
		_, err = h.Apps.Read(h.ctx, got.Access)
		if !errors.Is(err, oauth.ErrTokenExpired) || err != oauth.ErrTokenExpired { //nolint:errorlint // which of the two is what counts
			t.Errorf("after its hour: %v", err)
		}
		_, err = h.second().Read(h.ctx, got.Access)
		if err != oauth.ErrTokenExpired { //nolint:errorlint // which of the two is what counts
			t.Errorf("elsewhere, after its hour: %v", err)
		}
	})
}

func TestASecondUseOfACodeEndsAllThatCameOfIt(t *testing.T) {
	t.Parallel()
	for name, refreshes := range map[string]int{"at once": 0, "after a refresh": 1, "after three refreshes": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
				h := newHouse(t, b)
				c, _ := h.app(nil)
				other := h.tokens(c, h.ada)
				code := h.code(c, h.ada)
				got, err := h.exchange(c, code)
				h.must(err)
				access := []string{got.Access}
				for range refreshes {
					h.Clock.Add(50 * time.Minute) // the code is over by then, and still known for one that was used
					got = h.refresh(c, got.Refresh, "")
					access = append(access, got.Access)
				}
				if !h.alive(got.Access) {
					t.Fatal("not alive at first")
				}
				// What else is wrong with the second use does not save it.
				_, err = h.Apps.Exchange(h.ctx, c, code, "https://evil.example/", "")
				h.wants("the second use", err, oauth.ErrInvalidGrant)
				h.dead(c, got.Refresh, access[len(access)-1])
				if refreshes == 0 && !h.alive(other.Access) {
					t.Error("another grant ended with it")
				}
				if n := h.count("SELECT COUNT(*) FROM events WHERE kind = 'client.replayed'"); n != 1 {
					t.Errorf("%d events tell of it", n)
				}
			})
		})
	}
}

func TestWhatIsWrongWithACode(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil, func(d *oauth.Draft) { d.Redirects = []string{back, back + "2"} })
	one, _ := h.app(nil)
	other, _ := h.app(&h.ada)
	code := h.code(c, h.ada)
	silent := h.code(one, h.ada, func(r *oauth.Request) { r.Redirect = "" })
	said := h.code(one, h.ada)
	for name, row := range map[string]struct {
		client               oauth.Client
		code, back, verifier string
	}{
		"another client's":               {other, code, back, verifier},
		"nothing":                        {c, "", back, verifier},
		"no code":                        {c, strings.ToLower(code), back, verifier},
		"a space":                        {c, code + " ", back, verifier},
		"its hash":                       {c, hashed(code), back, verifier},
		"no redirect address":            {c, code, "", verifier},
		"another of the app's addresses": {c, code, back + "2", verifier},
		"a longer address":               {c, code, back + "/", verifier},
		"an address in capitals":         {c, code, strings.ToUpper(back), verifier},
		"an address with a query":        {c, code, back + "?", verifier},
		"no verifier":                    {c, code, back, ""},
		"another verifier":               {c, code, back, strings.Repeat("w", 43)},
		"the challenge for a verifier":   {c, code, back, challenge},
		"a verifier with a letter more":  {c, code, back, verifier + "v"},
		"a verifier in capitals":         {c, code, back, strings.ToUpper(verifier)},
		"the request said an address":    {one, said, "", verifier},
		"an address never said":          {one, silent, back + "2", verifier},
	} {
		_, err := h.Apps.Exchange(h.ctx, row.client, row.code, row.back, row.verifier)
		h.wants(name, err, oauth.ErrInvalidGrant)
	}
	for name, try := range map[string]func() error{
		"after all that":                     func() error { _, err := h.exchange(c, code); return err },
		"an address for one that never said": func() error { _, err := h.exchange(one, silent); return err },
		"as it was said":                     func() error { _, err := h.exchange(one, said); return err },
	} {
		h.wants(name, try(), nil)
	}
	h.must(func() error {
		_, err := h.Apps.Exchange(h.ctx, one, h.code(one, h.ada, func(r *oauth.Request) { r.Redirect = "" }), "", verifier)
		return err
	}())
}

func TestACodeLivesAMinute(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	in, late := h.code(c, h.ada), h.code(c, h.ada)
	h.Clock.Add(time.Minute - time.Millisecond)
	_, err := h.exchange(c, in)
	h.must(err)
	h.Clock.Add(time.Millisecond)
	_, err = h.exchange(c, late)
	h.wants("after a minute", err, oauth.ErrInvalidGrant)
	var fault oauth.Fault
	if !errors.As(err, &fault) || fault.Reason != "token_expired" {
		t.Errorf("known as %q", fault.Reason)
	}
}

// RFC 7636: S256 and no other; a verifier without a challenge is refused too
// (RFC 9700, 2.1.1).
func TestProofKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	confidential, _ := h.app(nil)
	bound, _ := h.app(nil, func(d *oauth.Draft) { d.PKCE = true })
	open, _ := h.app(nil, public)
	if !open.PKCE || open.SecretHash != "" {
		t.Errorf("a public app: %+v", open)
	}
	for name, row := range map[string]struct {
		challenge, method string
		asked             error // of any app
		unless            bool  // and only of those that have to
	}{
		"S256":                      {challenge, "S256", nil, false},
		"none":                      {"", "", oauth.ErrInvalidRequest, true},
		"plain":                     {verifier, "plain", oauth.ErrInvalidRequest, false},
		"no method, which is plain": {challenge, "", oauth.ErrInvalidRequest, false},
		"s256":                      {challenge, "s256", oauth.ErrInvalidRequest, false},
		"a method alone":            {"", "S256", oauth.ErrInvalidRequest, false},
		"42 characters":             {challenge[1:], "S256", oauth.ErrInvalidRequest, false},
		"44 characters":             {challenge + "A", "S256", oauth.ErrInvalidRequest, false},
		"padded":                    {challenge[1:] + "=", "S256", oauth.ErrInvalidRequest, false},
		"a line break at its end":   {challenge + "\n", "S256", oauth.ErrInvalidRequest, false},
		"base64 of the other kind":  {challenge[1:] + "+", "S256", oauth.ErrInvalidRequest, false},
	} {
		for _, c := range []oauth.Client{confidential, bound, open} {
			want := row.asked
			if row.unless && !c.PKCE {
				want = nil
			}
			a, err := h.Apps.Ask(h.ctx, oauth.Request{ClientID: c.ID, Redirect: back, ResponseType: "code", Challenge: row.challenge, Method: row.method})
			h.wants(name, err, want)
			if a.Redirect != back {
				t.Errorf("%s: the answer goes to %q", name, a.Redirect)
			}
		}
	}
	none := func(r *oauth.Request) { r.Challenge, r.Method = "", "" }
	without := h.code(confidential, h.ada, none)
	_, err := h.exchange(confidential, without)
	h.wants("a verifier without a challenge", err, oauth.ErrInvalidGrant)
	_, err = h.Apps.Exchange(h.ctx, confidential, without, back, "")
	h.wants("neither", err, nil)
	for name, odd := range map[string]string{"42 characters": strings.Repeat("a", 42), "129 characters": strings.Repeat("a", 129),
		"a space": strings.Repeat("a", 43) + " ", "a line break": strings.Repeat("a", 43) + "\n", "other letters": strings.Repeat("ä", 43)} {
		code := h.code(open, h.ada, func(r *oauth.Request) { r.Challenge = s256(odd) })
		_, err := h.Apps.Exchange(h.ctx, open, code, back, odd)
		h.wants("a verifier of "+name, err, oauth.ErrInvalidGrant)
	}
	for _, n := range []int{43, 128} {
		good := strings.Repeat("-", n)
		code := h.code(open, h.ada, func(r *oauth.Request) { r.Challenge = s256(good) })
		_, err := h.Apps.Exchange(h.ctx, open, code, back, good)
		h.wants("a verifier of good length", err, nil)
	}
}

func TestACodeEndsWithItsHostsLeave(t *testing.T) {
	t.Parallel()
	for name, users := range after() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, datatest.SQLite(t))
			c, _ := h.app(nil)
			code := h.code(c, h.ada)
			h.users(users)
			_, err := h.exchange(c, code)
			h.wants("the code", err, oauth.ErrInvalidGrant)
		})
	}
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(nil)
	code := h.code(c, h.ada)
	h.must(h.Apps.Disallow(h.ctx, h.ada, c.ID))
	_, err := h.exchange(c, code)
	h.wants("after the host withdrew it", err, oauth.ErrInvalidGrant)
	if n := h.count("SELECT COUNT(*) FROM events WHERE kind = 'client.replayed'"); n != 0 {
		t.Error("told as a second use")
	}
}

// Another machine may have made the same id in the same millisecond.
func TestATakenIDIsMadeAnew(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(&h.ada)
		own := &rooms.IDs{}
		h.Apps.IDs = own
		// taken has the next id that own makes be there already, under each kind.
		taken := func() {
			t.Helper()
			next := own.Next(h.Clock.Millis()+500) + 1 // it counts on from there
			ev := audit.Event{At: h.Clock.Millis()}
			h.must(h.Apps.Store.AddAccess(h.ctx, oauth.Access{ID: next, Client: c.ID}, ev))
			h.must(h.Apps.Store.AddGrant(h.ctx, oauth.Grant{ID: next, Client: c.ID, CodeHash: next.Show("")}, ev))
			h.must(h.Apps.Store.AddKey(h.ctx, oauth.APIKey{ID: next, Hash: next.Show("")}, "", ev))
		}
		taken()
		code := h.code(c, h.ada)
		taken()
		got, err := h.exchange(c, code)
		h.must(err)
		taken()
		got = h.refresh(c, got.Refresh, "")
		if !h.alive(got.Access) {
			t.Error("not alive")
		}
		taken()
		alone, err := h.Apps.ForItself(h.ctx, c, "")
		h.must(err)
		if !h.alive(alone.Access) {
			t.Error("not alive")
		}
		taken()
		_, key, err := h.Apps.MakeKey(h.ctx, h.ada, "Gate", oauth.All())
		h.must(err)
		_, err = h.Apps.ReadKey(h.ctx, key)
		h.must(err)
	})
}
