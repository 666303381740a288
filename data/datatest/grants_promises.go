package datatest

import (
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

func grantsPromises() []promise {
	return append(exchangePromises(), []promise{
		{"GrantByCode returns what AddGrant added, with its event", func(t *trial) {
			g, ev := t.draftGrant(t.app(), "ada"), t.event(audit.ClientAllowed, 0, 0)
			g.Challenge, g.Redirect, g.Scopes = "challenge", "https://gate.example/back", oauth.Scopes{oauth.RoomsRead, oauth.Offline}
			t.noted("AddGrant", func() { t.must(t.apps().AddGrant(t.ctx, g, ev)) }, ev)
			same(t, "grant", t.grantOf(g), g)
			_, err := t.apps().GrantByCode(t.ctx, "no hash")
			t.fails(err, rooms.ErrNotFound)
		}},
		{"AddGrant and AddAccess: rooms.ErrIDTaken when the id was used", func(t *trial) {
			c, ev := t.app(), t.event(audit.ClientAllowed, 0, 0)
			g, a := t.grant(c, "ada"), t.alone(c)
			again := t.draftGrant(c, "bo")
			again.ID = g.ID
			t.unchanged("taken ids", func() {
				t.fails(t.apps().AddGrant(t.ctx, again, ev), rooms.ErrIDTaken)
				t.fails(t.apps().AddAccess(t.ctx, a, ev), rooms.ErrIDTaken)
			})
		}},
		{"Grants returns a host's that have not ended, the latest first, of all apps or of one", func(t *trial) {
			c := t.app()
			one, two, over := t.grant(c, "grace"), t.grant(t.app(), "grace"), t.grant(c, "grace")
			t.grant(c, "bo")
			t.must(t.apps().EndGrant(t.ctx, over.ID, t.now, t.event(audit.ClientDisallowed, 0, 0)))
			list, err := t.apps().Grants(t.ctx, "grace", "")
			t.must(err)
			same(t, "grants", list[:2], []oauth.Grant{two, one})
			list, err = t.apps().Grants(t.ctx, "grace", c.ID)
			t.must(err)
			same(t, "grants of one app", list, []oauth.Grant{one})
		}},
		{"EndGrant ends the tokens that came of it, once", func(t *trial) {
			c := t.app()
			g, other := t.grant(c, "ada"), t.grant(c, "ada")
			a, kept := t.exchanged(g), t.exchanged(other)
			ev := t.event(audit.ClientDisallowed, 0, 0)
			t.noted("EndGrant", func() { t.must(t.apps().EndGrant(t.ctx, g.ID, t.now+5, ev)) }, ev)
			same(t, "token ended", t.access(a.ID).EndedAt, t.now+5)
			same(t, "another grant's token ended", t.access(kept.ID).EndedAt, 0)
			t.unchanged("EndGrant again, or of none", func() {
				t.must(t.apps().EndGrant(t.ctx, g.ID, t.now+6, ev))
				t.must(t.apps().EndGrant(t.ctx, t.id(), t.now+6, ev))
			})
		}},
		{"Access returns what AddAccess added, with what its app may do still; and notes that the app got it for a host, to the minute", func(t *trial) {
			c := t.app()
			a, ev := t.draftAccess(oauth.Grant{Client: c.ID, Host: "ada", Credential: "v1"}), t.event(audit.ClientToken, 0, 0)
			a.Scopes = oauth.Scopes{oauth.RoomsRead, oauth.RoomsWrite}
			t.noted("AddAccess", func() { t.must(t.apps().AddAccess(t.ctx, a, ev)) }, ev)
			same(t, "token", t.access(a.ID), a)
			same(t, "app used", t.client(c.ID).UsedAt, t.now)
			for _, row := range [][2]int64{{t.now + minute - 1, t.now}, {t.now + minute, t.now + minute}, {t.now, t.now + minute}} {
				next := t.draftAccess(oauth.Grant{Client: c.ID, Host: "ada"})
				next.CreatedAt = row[0]
				t.must(t.apps().AddAccess(t.ctx, next, ev))
				same(t, "app used", t.client(c.ID).UsedAt, row[1])
			}
			alone := t.draftAccess(oauth.Grant{Client: c.ID})
			alone.CreatedAt = t.now + hour
			t.must(t.apps().AddAccess(t.ctx, alone, ev))
			same(t, "app used, for nobody", t.client(c.ID).UsedAt, t.now+minute)
			t.must(t.apps().LimitClient(t.ctx, c.ID, oauth.Scopes{oauth.RoomsRead, oauth.Redeem}, ev))
			same(t, "scopes of the limited app's", t.access(a.ID).Scopes, oauth.Scopes{oauth.RoomsRead})
			t.must(t.apps().LimitClient(t.ctx, c.ID, oauth.All(), ev))
			same(t, "token afterwards", t.access(a.ID), a)
			_, err := t.apps().Access(t.ctx, t.id())
			t.fails(err, rooms.ErrNotFound)
		}},
		{"EndAccess ends one token, once", func(t *trial) {
			g := t.grant(t.app(), "ada")
			a := t.exchanged(g)
			ev := t.event(audit.ClientTokenEnded, 0, 0)
			t.noted("EndAccess", func() { t.must(t.apps().EndAccess(t.ctx, a.ID, t.now+5, ev)) }, ev)
			same(t, "token ended", t.access(a.ID).EndedAt, t.now+5)
			same(t, "grant ended", t.grantOf(g).EndedAt, 0)
			t.unchanged("EndAccess again, or of none", func() {
				t.must(t.apps().EndAccess(t.ctx, a.ID, t.now+6, ev))
				t.must(t.apps().EndAccess(t.ctx, t.id(), t.now+6, ev))
			})
		}},
		{"Sweep removes what can be of no use, and nothing that can", sweeps},
	}...)
}

func sweeps(t *trial) {
	unused, over := t.now-7*24*hour, t.now-24*hour
	old := func(c *oauth.Client) { c.CreatedAt = unused - 1 }
	has := map[string]func() bool{}
	app := func(name string, c oauth.Client) oauth.Client {
		has["app "+name] = func() bool { _, err := t.apps().Client(t.ctx, c.ID); return err == nil }
		return c
	}
	grant := func(name string, c oauth.Client, until int64) oauth.Grant {
		g := t.draftGrant(c, "ada")
		g.CodeUntil = until
		t.must(t.apps().AddGrant(t.ctx, g, t.event(audit.ClientAllowed, 0, 0)))
		has["grant "+name] = func() bool { _, err := t.apps().GrantByCode(t.ctx, g.CodeHash); return err == nil }
		return g
	}
	exchange := func(name string, g oauth.Grant, expires, refresh int64) {
		a, r := t.draftAccess(g), t.draftRefresh(g)
		a.ExpiresAt, r.ExpiresAt = expires, refresh
		first, err := t.apps().Exchange(t.ctx, g.CodeHash, a, r, t.event(audit.ClientToken, 0, 0))
		t.must(err)
		same(t, "exchanged", first, true)
		has["access "+name] = func() bool { _, err := t.apps().Access(t.ctx, a.ID); return err == nil }
		has["refresh "+name] = func() bool { _, _, err := t.apps().Refresh(t.ctx, r.Hash); return err == nil }
		has["use "+name] = func() bool { used, err := t.apps().Used(t.ctx, oauth.CodeUse, g.CodeHash); return used && err == nil }
	}
	app("gone: old, of nobody, never used", t.app(old))
	app("kept: young, of nobody, never used", t.app(func(c *oauth.Client) { c.CreatedAt = unused }))
	app("kept: old, of a host, never used", t.app(old, func(c *oauth.Client) { c.Owner = "ada" }))
	app("gone: old, of nobody, long not used", t.app(old, func(c *oauth.Client) { c.UsedAt = unused - 1 }))
	app("kept: old, of nobody, used", t.app(old, func(c *oauth.Client) { c.UsedAt = unused }))
	c := app("kept: old, of nobody, allowed", t.app(old))

	grant("gone: code never used", c, over-1)
	grant("kept: code not used yet", c, over)
	ended := grant("gone: ended", c, over-1)
	exchange("gone: of the ended", ended, t.now+hour, t.now+hour)
	t.must(t.apps().EndGrant(t.ctx, ended.ID, over-1, t.event(audit.ClientDisallowed, 0, 0)))
	late := grant("kept: ended lately", c, over-1)
	exchange("kept: ended lately", late, t.now+hour, t.now+hour)
	t.must(t.apps().EndGrant(t.ctx, late.ID, over, t.event(audit.ClientDisallowed, 0, 0)))
	past := grant("gone: all tokens over, and a later one there", c, over-1)
	exchange("gone: over", past, over-1, over-1)
	exchange("kept: alive", grant("kept: a refresh token alive", c, over-1), over, over)
	last := grant("kept: the last, which remembers", c, over-1)
	exchange("over, of the last", last, over-1, over-1)
	delete(has, "access over, of the last")
	delete(has, "refresh over, of the last")
	has["use kept: of the last"] = has["use over, of the last"]
	delete(has, "use over, of the last")

	for name, there := range has {
		if !there() {
			t.Fatalf("%s is not there at first", name)
		}
	}
	t.noted("Sweep", func() { t.must(t.apps().Sweep(t.ctx, unused, over)) })
	for name, there := range has {
		if want := strings.Contains(name, "kept"); there() != want {
			t.Errorf("%s: there %v", name, !want)
		}
	}
	t.unchanged("Sweep again", func() { t.must(t.apps().Sweep(t.ctx, unused, over)) })
}

// draftGrant is what that host allows the app, good for a minute, not stored yet.
func (t *trial) draftGrant(c oauth.Client, host string) oauth.Grant {
	id := t.id()
	return oauth.Grant{ID: id, Client: c.ID, Host: host, Credential: "v1", Scopes: oauth.All(), Redirect: "https://gate.example/back",
		CodeHash: "code " + id.Show(""), CodeUntil: t.now + minute, CreatedAt: t.now}
}

// grant stores a draft.
func (t *trial) grant(c oauth.Client, host string) oauth.Grant {
	t.Helper()
	g := t.draftGrant(c, host)
	t.must(t.apps().AddGrant(t.ctx, g, t.event(audit.ClientAllowed, 0, 0)))
	return g
}

func (t *trial) grantOf(g oauth.Grant) oauth.Grant {
	t.Helper()
	g, err := t.apps().GrantByCode(t.ctx, g.CodeHash)
	t.must(err)
	return g
}

func (t *trial) draftAccess(g oauth.Grant) oauth.Access {
	return oauth.Access{ID: t.id(), Grant: g.ID, Client: g.Client, Host: g.Host, Credential: g.Credential, Scopes: oauth.All(), CreatedAt: t.now, ExpiresAt: t.now + hour}
}

func (t *trial) draftRefresh(g oauth.Grant) *oauth.Refreshed {
	return &oauth.Refreshed{Hash: "refresh " + t.id().Show(""), Grant: g.ID, Scopes: oauth.All(), ExpiresAt: t.now + hour}
}

func (t *trial) access(id rooms.ID) oauth.Access {
	t.Helper()
	a, err := t.apps().Access(t.ctx, id)
	t.must(err)
	return a
}

// alone stores an access token of the app that comes of no grant.
func (t *trial) alone(c oauth.Client) oauth.Access {
	t.Helper()
	a := t.draftAccess(oauth.Grant{Client: c.ID})
	t.must(t.apps().AddAccess(t.ctx, a, t.event(audit.ClientToken, 0, 0)))
	return a
}

// exchanged uses up the grant's code for an access token.
func (t *trial) exchanged(g oauth.Grant) oauth.Access {
	t.Helper()
	a := t.draftAccess(g)
	first, err := t.apps().Exchange(t.ctx, g.CodeHash, a, nil, t.event(audit.ClientToken, 0, 0))
	t.must(err)
	same(t, "the code was good", first, true)
	return a
}

// refreshed uses up the grant's code for a refresh token.
func (t *trial) refreshed(g oauth.Grant) oauth.Refreshed {
	t.Helper()
	r := t.draftRefresh(g)
	first, err := t.apps().Exchange(t.ctx, g.CodeHash, t.draftAccess(g), r, t.event(audit.ClientToken, 0, 0))
	t.must(err)
	same(t, "the code was good", first, true)
	return *r
}
