package datatest

import (
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func invitationsPromises() []promise {
	return []promise{
		{"Insert adds invitations as they are, each with its event", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.StartsAt, r.EndsAt, r.Timezone, r.Locale = 1, 1<<40, "Asia/Tokyo", "ja" })
			full := t.draft(r, func(inv *tokens.Invitation) {
				inv.Role, inv.Name, inv.Email, inv.MaxUses = tokens.Host, "Zoë 🎟 \u202e", "zoe@example.org", 1000
				inv.NotBefore, inv.ExternalID, inv.Locale, inv.Wishes, inv.CreatedBy = t.now+1, "x\"'1", "de", "audio=false&video=true", audit.Actor{Kind: audit.Client, Name: "cli"}
			})
			plain := t.draft(r)
			t.noted("Insert", func() { t.insert(full, plain) },
				t.event(audit.InvitationMinted, r.ID, full.ID), t.event(audit.InvitationMinted, r.ID, plain.ID))
			same(t, "the full one, with its room", t.get(full.ID), full)
			same(t, "the plain one", t.get(plain.ID), plain)
		}},
		{"Insert: ErrIDTaken when an id was used, and then none is added", func(t *trial) {
			r := t.room()
			was, fresh := t.invitation(r), t.draft(r)
			for _, invs := range [][]tokens.Invitation{{was}, {fresh, was}, {fresh, fresh}} {
				evs := make([]audit.Event, len(invs))
				t.unchanged("Insert", func() { t.fails(t.Invitations.Store.Insert(t.ctx, invs, evs), rooms.ErrIDTaken) })
			}
		}},
		{"ByID: ErrNotFound where there is none", func(t *trial) {
			_, err := t.Invitations.Store.ByID(t.ctx, t.id())
			t.fails(err, tokens.ErrNotFound)
		}},
		{"List returns a room's invitations newest first, before an id, so many", func(t *trial) {
			r := t.room()
			var want []rooms.ID
			for range 5 {
				want = append([]rooms.ID{t.invitation(r).ID}, want...)
				t.invitation(t.room())
			}
			same(t, "all", idsOf(t, tokens.Query{Room: r.ID}), want)
			same(t, "first two", idsOf(t, tokens.Query{Room: r.ID, Limit: 2}), want[:2])
			same(t, "next two", idsOf(t, tokens.Query{Room: r.ID, Limit: 2, After: t.get(want[1]).Position(tokens.Newest)}), want[2:4])
			same(t, "the rest", idsOf(t, tokens.Query{Room: r.ID, After: t.get(want[3]).Position(tokens.Newest)}), want[4:])
			same(t, "after the last", idsOf(t, tokens.Query{Room: r.ID, After: t.get(want[4]).Position(tokens.Newest)}), nil)
		}},
		{"List sorts, the same on every database, and each page goes on where the last ended, whatever changed", sorts},
		{"List by name finds the few that match among many that do not", findsFew},
		{"List filters by state as Invitation.State says", func(t *trial) {
			r := t.room()
			every := everyState(t, r)
			seen := 0
			for _, state := range append(tokens.States(), "") {
				var want []rooms.ID
				for _, inv := range every {
					if state == "" || inv.State(t.now) == state {
						want = append([]rooms.ID{inv.ID}, want...)
					}
				}
				if len(want) == 0 {
					t.Errorf("no invitation is %s: this shows nothing", state)
				}
				seen += len(want)
				same(t, string(state), idsOf(t, tokens.Query{Room: r.ID, State: state}), want)
			}
			same(t, "each in one state", seen, 2*len(every))
		}},
		{"List filters by role, external id and all at once", func(t *trial) {
			r := t.room()
			var every []tokens.Invitation
			for _, role := range []tokens.Role{tokens.Guest, tokens.Host} {
				for _, ext := range []string{"", "b-1", "b-2"} {
					every = append(every, t.invitation(r, func(inv *tokens.Invitation) { inv.Role, inv.ExternalID = role, ext }))
				}
			}
			for _, q := range []tokens.Query{{Role: tokens.Host}, {Role: tokens.Guest}, {ExternalID: "b-1"}, {ExternalID: "none"},
				{Role: tokens.Host, ExternalID: "b-2"}, {Role: tokens.Host, ExternalID: "b-2", State: tokens.Pending},
				{Role: tokens.Host, ExternalID: "b-2", State: tokens.Revoked}} {
				var want []rooms.ID
				for _, inv := range every {
					if (q.Role == "" || q.Role == inv.Role) && (q.ExternalID == "" || q.ExternalID == inv.ExternalID) && q.State != tokens.Revoked {
						want = append([]rooms.ID{inv.ID}, want...)
					}
				}
				q.Room = r.ID
				same(t, "filtered", idsOf(t, q), want)
			}
		}},
		{"List finds part of a name or address, in any case", findsText},
		{"Update stores name, email, times and max uses, and only that", func(t *trial) {
			r := t.room()
			inv := t.invitation(r)
			want := inv
			want.Name, want.Email, want.NotBefore, want.ExpiresAt, want.MaxUses = "New", "n@example.org", t.now+1, t.now+2, 9
			n := want
			n.Role, n.CreatedAt, n.ExternalID, n.Uses, n.RevokedAt, n.SupersededBy = tokens.Host, 1, "other", 5, 6, 7
			ev := t.event(audit.InvitationChanged, r.ID, inv.ID)
			t.noted("Update", func() { t.must(t.Invitations.Store.Update(t.ctx, n, ev)) }, ev)
			same(t, "invitation", t.get(inv.ID), want)
		}},
		{"Update: ErrConflict when more uses were taken than it would allow, or it is superseded", func(t *trial) {
			r := t.room()
			inv := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			t.take(inv, "1")
			t.take(inv, "2")
			update := func(uses int) error {
				n := inv
				n.MaxUses, n.Name = uses, "Changed"
				return t.Invitations.Store.Update(t.ctx, n, t.event(audit.InvitationChanged, r.ID, inv.ID))
			}
			t.unchanged("too few uses", func() { t.fails(update(1), tokens.ErrConflict) })
			t.must(update(2))
			next := t.draft(r)
			t.must(t.Invitations.Store.Reissue(t.ctx, inv.ID, next, t.event(audit.InvitationReissued, r.ID, next.ID)))
			t.unchanged("superseded", func() { t.fails(update(5), tokens.ErrConflict) })
		}},
		{"every change stores its event in the same transaction, or nothing", func(t *trial) {
			r := t.room()
			inv, revoked := t.invitation(r), t.invitation(r)
			t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now, int64(revoked.ID))
			store := t.Invitations.Store
			reported := func(done bool, err error) error {
				same(t, "done", done, false)
				return err
			}
			t.undoneWithoutHistory(map[string]func() error{
				"Insert": func() error {
					a, b := t.draft(r), t.draft(r)
					return store.Insert(t.ctx, []tokens.Invitation{a, b}, make([]audit.Event, 2))
				},
				"Update": func() error {
					return store.Update(t.ctx, t.draft(r, func(n *tokens.Invitation) { *n = inv; n.Name = "New" }), audit.Event{})
				},
				"Revoke":  func() error { return reported(store.Revoke(t.ctx, inv.ID, t.now, audit.Event{})) },
				"Restore": func() error { return reported(store.Restore(t.ctx, revoked.ID, t.now-1, audit.Event{})) },
				"Reissue": func() error { return store.Reissue(t.ctx, inv.ID, t.draft(r), audit.Event{}) },
				"Opened":  func() error { return store.Opened(t.ctx, inv.ID, t.now, audit.Event{At: t.now}) },
				"Claim": func() error {
					c, ev := t.claim(inv, "n")
					_, err := store.Claim(t.ctx, c, ev)
					return err
				},
			})
		}},
		{"Events returns the invitation's history, newest first, before an id, so many", func(t *trial) {
			r := t.room()
			inv, other := t.invitation(r), t.invitation(r)
			for range 4 {
				t.must(t.Invitations.Store.Update(t.ctx, inv, t.event(audit.InvitationChanged, r.ID, inv.ID)))
				t.must(t.Invitations.Store.Update(t.ctx, other, t.event(audit.InvitationChanged, r.ID, other.ID)))
			}
			pagesOfHistory(t, 5, audit.InvitationMinted, func(before rooms.ID, limit int) ([]audit.Event, error) {
				return t.Invitations.Store.Events(t.ctx, inv.ID, before, limit)
			})
		}},
	}
}

// idsOf are the ids that List returns.
func idsOf(t *trial, q tokens.Query) (ids []rooms.ID) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	q.Now = t.now
	list, err := t.Invitations.Store.List(t.ctx, q)
	t.must(err)
	for _, inv := range list {
		same(t, "listed and by id", inv, t.get(inv.ID))
		ids = append(ids, inv.ID)
	}
	return ids
}

// everyState fills a room with invitations of every mix of what makes their
// state, with a counter of their own and with that of another, oldest first.
func everyState(t *trial, r rooms.Room) []tokens.Invitation {
	t.Helper()
	var drafts []tokens.Invitation
	for _, expires := range []int64{t.now - 1, t.now, t.now + 1} {
		for range 3 * 2 * 2 {
			own := t.draft(r, func(inv *tokens.Invitation) { inv.MaxUses, inv.ExpiresAt = 2, expires })
			shares := t.draft(r, func(inv *tokens.Invitation) { inv.MaxUses, inv.ExpiresAt, inv.Counter = 2, expires, own.ID })
			drafts = append(drafts, own, shares)
		}
	}
	t.insert(drafts...)
	var states [][]any
	for n, inv := range drafts {
		mix := n / 2
		uses := mix % 3
		if inv.Counter != inv.ID {
			uses = 0 // they are counted at the other
		}
		states = append(states, []any{uses, mix / 3 % 2, mix / 6 % 2, int64(inv.ID)})
	}
	t.execAll("UPDATE invitations SET uses = $1, revoked_at = $2, superseded_by = $3 WHERE id = $4", states)
	for i, inv := range drafts {
		drafts[i] = t.get(inv.ID)
	}
	return drafts
}
