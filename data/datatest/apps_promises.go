package datatest

import (
	"slices"

	"admitone/data"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

func appsPromises() []promise {
	return []promise{
		{"Client returns what AddClient added, with its event", func(t *trial) {
			c := t.draftApp(func(c *oauth.Client) {
				c.Website, c.Redirects, c.Public, c.PKCE = "https://gate.example/", []string{"https://gate.example/a", "com.gate.app:/b"}, true, true
				c.Scopes, c.Owner, c.Credential, c.UsedAt = oauth.All(), "ada", "v1", 7
			})
			ev := t.event(audit.ClientRegistered, 0, 0)
			t.noted("AddClient", func() { t.must(t.apps().AddClient(t.ctx, c, ev)) }, ev)
			same(t, "client", t.client(c.ID), c)
			bare := t.draftApp(func(c *oauth.Client) { c.Redirects, c.Scopes = nil, nil })
			t.must(t.apps().AddClient(t.ctx, bare, ev))
			same(t, "one without anything", t.client(bare.ID), bare)
		}},
		{"Client: rooms.ErrNotFound for one that is not there, whatever its id", func(t *trial) {
			for _, id := range []string{"", "app~none", "app~\x00", "app~\xff"} {
				_, err := t.apps().Client(t.ctx, id)
				t.fails(err, rooms.ErrNotFound)
			}
		}},
		{"ClientsOf returns what the host made, and what acts for it by its leave under that credential, the latest first", func(t *trial) {
			by := func(owner string, at int64) oauth.Client {
				return t.app(func(c *oauth.Client) { c.Owner, c.CreatedAt = owner, t.now+at })
			}
			mine, both, strange, over, past, others := by("grace", 1), by("grace", 3), by("", 2), by("grace", 4), by("", 5), by("bo", 6)
			t.grant(strange, "grace")
			t.grant(strange, "grace")
			t.grant(both, "grace")
			t.grant(others, "bo")
			t.must(t.apps().EndGrant(t.ctx, t.grant(past, "grace").ID, t.now, t.event(audit.ClientDisallowed, 0, 0)))
			t.must(t.apps().EndClient(t.ctx, over.ID, t.now, t.event(audit.ClientRemoved, 0, 0)))
			of := func(host, credential string) []oauth.Client {
				t.Helper()
				all, err := t.apps().ClientsOf(t.ctx, host, credential)
				t.must(err)
				return all
			}
			same(t, "grace's", of("grace", "v1"), []oauth.Client{both, strange, mine})
			same(t, "with another password", of("grace", "v2"), []oauth.Client{both, mine})
			same(t, "nobody's", len(of("", "v1")), 0)
		}},
		{"OtherClients returns all but those, the latest first, in pages", func(t *trial) {
			var want []string
			t.app()                   // before all these
			for i := range int64(5) { // two of them at the same moment
				c := t.app(func(c *oauth.Client) { c.Owner, c.CreatedAt = []string{"bo", ""}[i%2], t.now+1000*hour+i/2 })
				want = append(want, c.ID)
				t.app(func(c *oauth.Client) { c.Owner, c.CreatedAt = "heidi", t.now+1000*hour })
				t.grant(t.app(func(c *oauth.Client) { c.CreatedAt = t.now + 1000*hour }), "heidi")
			}
			over := t.app(func(c *oauth.Client) { c.CreatedAt = t.now + 1000*hour })
			t.must(t.apps().EndClient(t.ctx, over.ID, t.now, t.event(audit.ClientRemoved, 0, 0)))
			var got []string
			var after oauth.Place
			for range 3 {
				page, err := t.apps().OtherClients(t.ctx, "heidi", "v1", after, 2)
				t.must(err)
				same(t, "page's length", len(page), 2)
				for _, c := range page {
					got = append(got, c.ID)
				}
				after = page[1].Place()
			}
			same(t, "the first", got[0], want[4])
			slices.Sort(got[1:3]) // made at the same moment
			slices.Sort(got[3:5])
			slices.Sort(want[2:4])
			slices.Sort(want[:2])
			same(t, "in order", got[:5], slices.Concat(want[4:], want[2:4], want[:2]))
			none, err := t.apps().OtherClients(t.ctx, "heidi", "v1", oauth.Place{MadeAt: -1}, 2)
			t.must(err)
			same(t, "after the last", len(none), 0)
		}},
		{"AddStranger lets in so many that nobody made and nobody allows, then for the oldest that never was of use", func(t *trial) {
			stranger := func(made int64) oauth.Client {
				c := t.draftApp(func(c *oauth.Client) { c.CreatedAt = made })
				_, err := t.apps().AddStranger(t.ctx, c, 1<<20, 0, t.event(audit.ClientRegistered, 0, 0))
				t.must(err)
				return c
			}
			here := func(c oauth.Client) bool {
				_, err := t.apps().Client(t.ctx, c.ID)
				return err == nil
			}
			t.app(func(c *oauth.Client) { c.Owner, c.CreatedAt = "ada", 1 })
			allowed, before, used, over := stranger(1), stranger(1), stranger(1), stranger(1)
			t.grant(allowed, "ada")
			t.must(t.apps().EndGrant(t.ctx, t.grant(before, "ada").ID, t.now, t.event(audit.ClientDisallowed, 0, 0)))
			t.exchanged(t.grant(used, "ada"))
			t.must(t.apps().EndClient(t.ctx, over.ID, t.now, t.event(audit.ClientRemoved, 0, 0)))
			first, second := stranger(2), stranger(3)
			add := func(idle int64, want bool) oauth.Client {
				t.Helper()
				c, ev := t.draftApp(), t.event(audit.ClientRegistered, 0, 0)
				got := false
				press := func() {
					var err error
					got, err = t.apps().AddStranger(t.ctx, c, 1, idle, ev)
					t.must(err)
				}
				if want {
					t.noted("AddStranger", press, ev)
				} else {
					t.noted("AddStranger", press)
				}
				same(t, "let in", got, want)
				same(t, "is there", here(c), want)
				return c
			}
			add(2, false)
			third := add(3, true)
			same(t, "the oldest", []bool{here(first), here(second)}, []bool{false, true})
			add(4, true)
			add(4, false)
			for name, c := range map[string]oauth.Client{"allowed": allowed, "allowed before": before, "used": used, "removed": over, "new": third} {
				same(t, name, here(c), true)
			}
		}},
		{"LimitClient and SetSecret store what they say and nothing else", func(t *trial) {
			c, ev := t.app(), t.event(audit.ClientLimited, 0, 0)
			t.noted("LimitClient", func() { t.must(t.apps().LimitClient(t.ctx, c.ID, oauth.Scopes{oauth.Redeem}, ev)) }, ev)
			c.Scopes = oauth.Scopes{oauth.Redeem}
			same(t, "limited", t.client(c.ID), c)
			ev.Kind = audit.ClientSecretMade
			t.noted("SetSecret", func() { t.must(t.apps().SetSecret(t.ctx, c.ID, "hash 2", "v2", ev)) }, ev)
			c.SecretHash, c.Credential = "hash 2", "v2"
			same(t, "with another secret", t.client(c.ID), c)
		}},
		{"EndClient ends the app, its grants and its tokens, also those without a grant, and nobody else's", func(t *trial) {
			c, other := t.app(), t.app()
			g, kept := t.grant(c, "ada"), t.grant(other, "ada")
			a, alone, free := t.exchanged(g), t.alone(c), t.exchanged(kept)
			ev := t.event(audit.ClientRemoved, 0, 0)
			t.noted("EndClient", func() { t.must(t.apps().EndClient(t.ctx, c.ID, t.now+5, ev)) }, ev)
			same(t, "app ended", t.client(c.ID).EndedAt, t.now+5)
			for _, id := range []rooms.ID{a.ID, alone.ID} {
				same(t, "token ended", t.access(id).EndedAt, t.now+5)
			}
			same(t, "grant ended", t.grantOf(g).EndedAt, t.now+5)
			same(t, "another app's token ended", t.access(free.ID).EndedAt, 0)
		}},
		{"LimitClient, SetSecret and EndClient: rooms.ErrNotFound when it ended or is not there", func(t *trial) {
			over, ev := t.app(), t.event(audit.ClientRemoved, 0, 0)
			t.grant(over, "ada")
			t.must(t.apps().EndClient(t.ctx, over.ID, t.now, ev))
			for _, id := range []string{over.ID, "app~none"} {
				t.unchanged("changing "+id, func() {
					t.fails(t.apps().LimitClient(t.ctx, id, oauth.All(), ev), rooms.ErrNotFound)
					t.fails(t.apps().SetSecret(t.ctx, id, "h", "v", ev), rooms.ErrNotFound)
					t.fails(t.apps().EndClient(t.ctx, id, t.now+1, ev), rooms.ErrNotFound)
				})
			}
		}},
		{"changes of apps, grants and tokens are undone where their event cannot be stored", func(t *trial) {
			c, ev := t.app(), t.event(audit.ClientLimited, 0, 0)
			g, a := t.grant(c, "ada"), t.alone(c)
			fresh, next := t.draftApp(), t.draftGrant(c, "ada")
			r := t.refreshed(t.grant(c, "bo"))
			t.undoneWithoutHistory(map[string]func() error{
				"AddClient":   func() error { return t.apps().AddClient(t.ctx, fresh, ev) },
				"LimitClient": func() error { return t.apps().LimitClient(t.ctx, c.ID, nil, ev) },
				"SetSecret":   func() error { return t.apps().SetSecret(t.ctx, c.ID, "h", "v", ev) },
				"EndClient":   func() error { return t.apps().EndClient(t.ctx, c.ID, t.now, ev) },
				"AddGrant":    func() error { return t.apps().AddGrant(t.ctx, next, ev) },
				"EndGrant":    func() error { return t.apps().EndGrant(t.ctx, g.ID, t.now, ev) },
				"EndAccess":   func() error { return t.apps().EndAccess(t.ctx, a.ID, t.now, ev) },
				"AddAccess":   func() error { return t.apps().AddAccess(t.ctx, t.draftAccess(oauth.Grant{Client: c.ID}), ev) },
				"Exchange": func() error {
					_, err := t.apps().Exchange(t.ctx, g.CodeHash, t.draftAccess(g), t.draftRefresh(g), ev)
					return err
				},
				"Rotate": func() error {
					_, err := t.apps().Rotate(t.ctx, r.Hash, t.draftAccess(oauth.Grant{ID: r.Grant, Client: c.ID}), nil, ev)
					return err
				},
			})
		}},
		{"EventsBy returns what that app did, the latest first, in pages; for a host only what is the host's business", func(t *trial) {
			c, other := t.app(), t.app()
			ours, theirs := t.room(), t.room(func(r *rooms.Room) { r.Owner = "bo" })
			did := func(app string, kind audit.Kind, room rooms.ID, host string) {
				ev := t.event(kind, room, 0)
				ev.Actor, ev.Detail = audit.Actor{Kind: audit.Client, Name: app}, host
				t.must(t.apps().AddAccess(t.ctx, t.draftAccess(oauth.Grant{Client: c.ID}), ev))
			}
			did(c.ID, audit.ClientToken, 0, "ada")
			did(c.ID, audit.InvitationMinted, ours.ID, "")
			did(c.ID, audit.ClientToken, 0, "bo")
			did(c.ID, audit.InvitationMinted, theirs.ID, "ada")
			did(other.ID, audit.ClientToken, 0, "ada")
			page := func(host string, before rooms.ID, limit int) (out []audit.Event) {
				t.Helper()
				out, err := t.apps().EventsBy(t.ctx, c.ID, host, before, limit)
				t.must(err)
				return out
			}
			rooms4 := func(evs []audit.Event) (ids []int64) {
				for _, ev := range evs {
					same(t, "actor", ev.Actor, audit.Actor{Kind: audit.Client, Name: c.ID})
					ids = append(ids, ev.Room)
				}
				return ids
			}
			all := page("", 0, 9)
			same(t, "all", rooms4(all), []int64{int64(theirs.ID), 0, int64(ours.ID), 0})
			same(t, "ada's", page("ada", 0, 9), []audit.Event{all[2], all[3]})
			same(t, "bo's", page("bo", 0, 9), []audit.Event{all[0], all[1]})
			same(t, "the first two", page("", 0, 2), all[:2])
			same(t, "those after", page("", rooms.ID(all[1].ID), 2), all[2:])
			same(t, "ada's after the first", page("ada", rooms.ID(all[2].ID), 2), all[3:])
		}},
	}
}

func (t *trial) apps() *data.OAuth { return data.NewOAuth(t.DB, t.IDs) }

// draftApp is an app of nobody's that may do everything, not stored yet.
func (t *trial) draftApp(changes ...func(*oauth.Client)) oauth.Client {
	id := t.id().Show("")
	c := oauth.Client{ID: oauth.ClientPrefix + id, Name: "Gate " + id, Redirects: []string{"https://gate.example/back"}, Scopes: oauth.All(),
		CreatedAt: t.now, SecretHash: "hash " + id}
	for _, change := range changes {
		change(&c)
	}
	return c
}

// app stores a draft.
func (t *trial) app(changes ...func(*oauth.Client)) oauth.Client {
	t.Helper()
	c := t.draftApp(changes...)
	t.must(t.apps().AddClient(t.ctx, c, t.event(audit.ClientRegistered, 0, 0)))
	return c
}

func (t *trial) client(id string) oauth.Client {
	t.Helper()
	c, err := t.apps().Client(t.ctx, id)
	t.must(err)
	return c
}
