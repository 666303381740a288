package datatest

import (
	"sync"
	"sync/atomic"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

// exchangePromises are those of what works once: codes and refresh tokens.
func exchangePromises() []promise {
	// Each way gives a grant whose code or refresh token is good, and how to use it.
	type way struct {
		g    oauth.Grant
		use  string
		hash string
		do   func(a oauth.Access, r *oauth.Refreshed, ev audit.Event) (bool, error)
	}
	each := func(t *trial, test func(t *trial, w way)) {
		t.Helper()
		c := t.app()
		code := t.grant(c, "ada")
		test(t, way{code, oauth.CodeUse, code.CodeHash, func(a oauth.Access, r *oauth.Refreshed, ev audit.Event) (bool, error) {
			return t.apps().Exchange(t.ctx, code.CodeHash, a, r, ev)
		}})
		again := t.grant(c, "ada")
		token := t.refreshed(again)
		test(t, way{again, oauth.RefreshUse, token.Hash, func(a oauth.Access, r *oauth.Refreshed, ev audit.Event) (bool, error) {
			return t.apps().Rotate(t.ctx, token.Hash, a, r, ev)
		}})
	}
	return []promise{
		{"Exchange and Rotate use it up and add both tokens, with the event", func(t *trial) {
			each(t, func(t *trial, w way) {
				a, r, ev := t.draftAccess(w.g), t.draftRefresh(w.g), t.event(audit.ClientToken, 0, 0)
				r.Scopes = oauth.Scopes{oauth.Redeem, oauth.Offline}
				used, err := t.apps().Used(t.ctx, w.use, w.hash)
				t.must(err)
				same(t, "used before", used, false)
				t.noted("the exchange", func() {
					first, err := w.do(a, r, ev)
					t.must(err)
					same(t, "first", first, true)
				}, ev)
				used, err = t.apps().Used(t.ctx, w.use, w.hash)
				t.must(err)
				same(t, "used after", used, true)
				same(t, "access token", t.access(a.ID), a)
				got, g, err := t.apps().Refresh(t.ctx, r.Hash)
				t.must(err)
				same(t, "refresh token", got, *r)
				same(t, "its grant", g, w.g)
			})
		}},
		{"Used knows one use from another", func(t *trial) {
			each(t, func(t *trial, w way) {
				_, err := w.do(t.draftAccess(w.g), nil, t.event(audit.ClientToken, 0, 0))
				t.must(err)
				for _, use := range []string{oauth.CodeUse, oauth.RefreshUse, "another"} {
					used, err := t.apps().Used(t.ctx, use, w.hash)
					t.must(err)
					same(t, use+" used", used, use == w.use)
				}
			})
		}},
		{"Exchange and Rotate report false and add nothing when it was used up or the grant has ended", func(t *trial) {
			each(t, func(t *trial, w way) {
				ev := t.event(audit.ClientToken, 0, 0)
				_, err := w.do(t.draftAccess(w.g), nil, ev)
				t.must(err)
				again := func(what string) {
					t.unchanged(what, func() {
						first, err := w.do(t.draftAccess(w.g), t.draftRefresh(w.g), ev)
						t.must(err)
						same(t, what+" first", first, false)
					})
				}
				again("a second use")
				t.must(t.apps().EndGrant(t.ctx, w.g.ID, t.now, ev))
				again("a use of an ended grant")
			})
			each(t, func(t *trial, w way) {
				ev := t.event(audit.ClientToken, 0, 0)
				t.must(t.apps().EndGrant(t.ctx, w.g.ID, t.now, ev))
				t.unchanged("the first use of an ended grant", func() {
					first, err := w.do(t.draftAccess(w.g), t.draftRefresh(w.g), ev)
					t.must(err)
					same(t, "first", first, false)
				})
			})
		}},
		{"Exchange and Rotate: rooms.ErrIDTaken when the access token's id was used, and it is as good as before", func(t *trial) {
			each(t, func(t *trial, w way) {
				ev, taken := t.event(audit.ClientToken, 0, 0), t.draftAccess(w.g)
				t.must(t.apps().AddAccess(t.ctx, taken, ev))
				t.unchanged("a taken id", func() {
					_, err := w.do(taken, t.draftRefresh(w.g), ev)
					t.fails(err, rooms.ErrIDTaken)
				})
				first, err := w.do(t.draftAccess(w.g), nil, ev)
				t.must(err)
				same(t, "first", first, true)
			})
		}},
		{"what the database cannot do is an error and no second use", func(t *trial) {
			each(t, func(t *trial, w way) {
				found := t.onceLost()
				_, err := w.do(t.draftAccess(w.g), nil, t.event(audit.ClientToken, 0, 0))
				found()
				if err == nil {
					t.Error("reported as used before")
				}
			})
		}},
		{"of sixteen at once exactly one is first", func(t *trial) {
			for range 4 {
				each(t, func(t *trial, w way) {
					var firsts, tokens atomic.Int32
					var all sync.WaitGroup
					for range 16 {
						a, r := t.draftAccess(w.g), t.draftRefresh(w.g)
						all.Go(func() {
							first, err := w.do(a, r, t.event(audit.ClientToken, 0, 0))
							switch {
							case err != nil:
								t.Error(err)
							case first:
								firsts.Add(1)
							}
							if _, err := t.apps().Access(t.ctx, a.ID); err == nil {
								tokens.Add(1)
							}
						})
					}
					all.Wait()
					same(t, "firsts", firsts.Load(), 1)
					same(t, "tokens", tokens.Load(), 1)
				})
			}
		}},
		{"an exchange and the end of its grant or its app at once: no token is left alive, and neither waits for ever", func(t *trial) {
			for n := range 12 {
				c := t.app()
				g, ev := t.grant(c, "ada"), t.event(audit.ClientRemoved, 0, 0)
				a := t.draftAccess(g)
				var all sync.WaitGroup
				all.Go(func() {
					if _, err := t.apps().Exchange(t.ctx, g.CodeHash, a, nil, ev); err != nil {
						t.Error(err)
					}
				})
				all.Go(func() {
					end := func() error { return t.apps().EndGrant(t.ctx, g.ID, t.now, ev) }
					if n%2 == 0 {
						end = func() error { return t.apps().EndClient(t.ctx, c.ID, t.now, ev) }
					}
					if err := end(); err != nil {
						t.Error(err)
					}
				})
				all.Wait()
				if got, err := t.apps().Access(t.ctx, a.ID); err == nil && got.EndedAt == 0 {
					t.Error("a token outlives its grant")
				}
			}
		}},
	}
}

// onceLost makes every attempt to use something up fail until it is called back.
func (t *trial) onceLost() (found func()) {
	t.Helper()
	if t.DB.Kind() == "sqlite" {
		t.exec("CREATE TRIGGER once_lost BEFORE INSERT ON once BEGIN SELECT RAISE(ABORT, 'not once'); END")
		return func() { t.exec("DROP TRIGGER once_lost") }
	}
	t.exec("CREATE FUNCTION once_lost() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not once''; END'")
	t.exec("CREATE TRIGGER once_lost BEFORE INSERT ON once FOR EACH ROW EXECUTE FUNCTION once_lost()")
	return func() { t.exec("DROP TRIGGER once_lost ON once"); t.exec("DROP FUNCTION once_lost()") }
}
