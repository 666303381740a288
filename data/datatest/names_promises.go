package datatest

import (
	"fmt"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// namesPromises are those of tokens.NamesStore.
func namesPromises() []promise {
	ended := func(t *trial, before int64) map[rooms.ID]bool {
		t.Helper()
		out := map[rooms.ID]bool{}
		for after := rooms.ID(0); ; {
			all, err := t.Invitations.Store.Ended(t.ctx, before, after, 3)
			t.must(err)
			for _, e := range all {
				if e.Invitation <= after {
					t.Errorf("%d comes after %d", e.Invitation, after)
				}
				after = e.Invitation
				out[after] = true
			}
			if len(all) == 0 {
				return out
			}
		}
	}
	return []promise{
		{"Ended are those that admit nobody since, new or back", func(t *trial) {
			endsAt := func(at int64) func(*rooms.Room) { return func(r *rooms.Room) { r.EndsAt = at } }
			revoke := func(inv tokens.Invitation) {
				t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now, int64(inv.ID))
			}
			take := func(inv tokens.Invitation) { t.take(inv, "x") }
			stay := tokens.Stay.Milliseconds()
			for name, c := range map[string]struct {
				room func(*rooms.Room)
				do   func(tokens.Invitation)
				at   int64 // when it ends
			}{
				"unused":                     {nil, nil, t.now + hour},
				"used in a room without end": {nil, take, t.now + stay},
				"used in a room that ends":   {endsAt(t.now + 20*hour), take, t.now + 21*hour},
				"to a room that ends first":  {endsAt(t.now - hour/2), nil, t.now + hour/2},
				"revoked":                    {nil, revoke, t.now},
				"used and revoked":           {nil, func(inv tokens.Invitation) { take(inv); revoke(inv) }, t.now},
				"replaced":                   {nil, func(inv tokens.Invitation) { t.reissue(inv, false) }, t.now + 1},
				"in a closed room": {nil, func(inv tokens.Invitation) {
					t.exec("UPDATE rooms SET closed_at = $1 WHERE id = $2", t.now+5, int64(inv.Room.ID))
				}, t.now + 5},
				"used, and removed later": {nil, func(inv tokens.Invitation) {
					take(inv)
					t.exec("UPDATE admissions SET ended_at = $1 WHERE invitation_id = $2", t.now+2*hour, int64(inv.ID))
				}, t.now + 2*hour},
				"asked for anew": {nil, func(inv tokens.Invitation) {
					t.must(t.Invitations.Store.Ask(t.ctx, tokens.Request{ID: t.id(), Invitation: inv.ID, Room: inv.Room.ID, Browser: "b", CreatedAt: t.now + 3*hour}, 5, t.event(audit.InvitationRequested, inv.Room.ID, inv.ID)))
				}, t.now + 3*hour},
			} {
				change := c.room
				if change == nil {
					change = func(*rooms.Room) {}
				}
				inv := t.invitation(t.room(change))
				if c.do != nil {
					c.do(inv)
				}
				if at := max(c.at, t.now+1); ended(t, at-2)[inv.ID] || !ended(t, at+1)[inv.ID] {
					t.Errorf("%s: is it over before, and after? %v, %v", name, ended(t, at-2)[inv.ID], ended(t, at+1)[inv.ID])
				}
			}
		}},
		{"RemoveNames removes from what has ended, of the room, once, all that tells of people", removesNames},
		{"RemoveNames forgets browsers once nobody would come back by them, were the room open", func(t *trial) {
			closed := t.room(func(r *rooms.Room) { r.EndsAt = t.now + 20*hour })
			stays, out, off := t.invitation(closed), t.invitation(closed), t.invitation(closed)
			by := map[rooms.ID]string{}
			for _, inv := range []tokens.Invitation{stays, out, off} {
				by[inv.ID] = t.take(inv, inv.ID.Show("")).Browser
			}
			t.exec("UPDATE admissions SET ended_at = $1 WHERE invitation_id = $2", t.now, int64(out.ID))
			t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now, int64(off.ID))
			t.exec("UPDATE rooms SET closed_at = $1 WHERE id = $2", t.now, int64(closed.ID))
			ids := []rooms.ID{stays.ID, out.ID, off.ID}
			remove := func(before int64) (n int) {
				n, err := t.Invitations.Store.RemoveNames(t.ctx, ids, before, audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.System}, Kind: audit.NamesRemoved, Room: int64(closed.ID)})
				t.must(err)
				return n
			}
			known := func() (still []rooms.ID) {
				for _, id := range ids {
					if t.Holding(t, by[id]) != nil {
						still = append(still, id)
					}
				}
				return still
			}
			same(t, "removed from", remove(t.now+hour), 3)
			same(t, "known still", known(), []rooms.ID{stays.ID})
			same(t, "to be swept again before its end", ended(t, t.now+21*hour-1)[stays.ID], false)
			same(t, "to be swept again after", ended(t, t.now+21*hour)[stays.ID], true)
			t.noted("RemoveNames again", func() { same(t, "removed again", remove(t.now+21*hour), 0) })
			same(t, "known at last", known(), nil)
			same(t, "to be swept for ever", ended(t, t.now+50*hour)[stays.ID], false)
		}},
		{"Recognise notes a forgotten browser by the nonce, and no other's", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 2 })
			a, gone := t.take(inv, "known by"), t.take(inv, "removed")
			t.exec("UPDATE admissions SET browser = '' WHERE invitation_id = $1", int64(inv.ID))
			t.exec("UPDATE admissions SET ended_at = $1 WHERE id = $2", t.now, int64(gone.ID))
			was := a.Browser
			t.unchanged("Recognise by another nonce, or who is removed", func() {
				same(t, "another nonce", t.Invitations.Store.Recognise(t.ctx, a, "removed"), tokens.ErrConflict)
				same(t, "who is removed", t.Invitations.Store.Recognise(t.ctx, gone, "removed"), tokens.ErrConflict)
			})
			for range 2 {
				t.must(t.Invitations.Store.Recognise(t.ctx, a, "known by"))
			}
			t.unchanged("Recognise as another's", func() {
				a.Browser = "another"
				same(t, "another's", t.Invitations.Store.Recognise(t.ctx, a, "known by"), tokens.ErrConflict)
			})
			a, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "known by")
			t.must(err)
			same(t, "the browser", a.Browser, was)
		}},
		{"RemoveNames is one line of history for a moment and room, with the number", func(t *trial) {
			r := t.room()
			one, two, three, four := t.invitation(r), t.invitation(r), t.invitation(r), t.invitation(r)
			t.exec("UPDATE events SET detail = '' WHERE room_id = $1", int64(r.ID)) // so that no other line changes
			ev := audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.System, Name: "retention"}, Kind: audit.NamesRemoved, Room: int64(r.ID)}
			all := ev
			all.Detail = "3"
			t.undoneWithoutHistory(map[string]func() error{"RemoveNames": func() error {
				_, err := t.Invitations.Store.RemoveNames(t.ctx, []rooms.ID{one.ID}, 0, ev)
				return err
			}})
			t.noted("RemoveNames in parts", func() {
				for _, ids := range [][]rooms.ID{{one.ID, two.ID}, {two.ID}, {three.ID}, nil} {
					_, err := t.Invitations.Store.RemoveNames(t.ctx, ids, 0, ev)
					t.must(err)
				}
			}, all)
			later := ev
			later.At++
			next := later
			next.Detail = "1"
			t.noted("at another moment", func() {
				_, err := t.Invitations.Store.RemoveNames(t.ctx, []rooms.ID{four.ID}, 0, later)
				t.must(err)
			}, next)
		}},
		{"RemovePerson removes and revokes what still is that person's, in one change", func(t *trial) {
			r := t.room()
			of := func(address string) tokens.Invitation {
				return t.invitation(r, func(inv *tokens.Invitation) { inv.Email = address })
			}
			live, over, became, off := of("Grace@mail.example"), of("grace@mail.example"), of("hedy@mail.example"), of("grace@mail.example")
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(off.ID))
			t.exec("UPDATE events SET detail = '' WHERE room_id = $1", int64(r.ID)) // so that no other line changes
			gone := audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.NamesRemoved, Room: int64(r.ID)}
			var n int
			var revoked []rooms.ID
			remove := func() (err error) {
				n, revoked, err = t.Invitations.Store.RemovePerson(t.ctx, "grace@mail.example", []rooms.ID{live.ID, over.ID, became.ID, off.ID}, []rooms.ID{became.ID, off.ID, live.ID}, gone,
					func(id rooms.ID) audit.Event { return t.event(audit.InvitationRevoked, r.ID, id) })
				return err
			}
			t.undoneWithoutHistory(map[string]func() error{"RemovePerson": remove})
			all := gone
			all.Detail = "3"
			t.noted("RemovePerson", func() { t.must(remove()) }, all, t.event(audit.InvitationRevoked, r.ID, live.ID))
			same(t, "removed", n, 3)
			same(t, "revoked", revoked, []rooms.ID{live.ID})
			same(t, "another's by now", [2]int64{t.get(became.ID).NamelessAt, t.get(became.ID).RevokedAt}, [2]int64{0, 0})
			same(t, "the person's", [2]int64{t.get(live.ID).NamelessAt, t.get(live.ID).RevokedAt}, [2]int64{t.now, t.now})
			same(t, "what was over", t.get(over.ID).RevokedAt, 0)
			t.unchanged("RemovePerson again", func() { t.must(remove()) })
		}},
		{"a name comes back by a change or a wish for a new link, and not by a refusal", func(t *trial) {
			inv := t.invitation(t.room())
			t.nameless(inv)
			ev := t.event(audit.InvitationRefused, inv.Room.ID, inv.ID)
			ev.Actor = audit.Actor{Kind: audit.Guest, Name: "Zoe"}
			bare := ev
			bare.Actor.Name = ""
			t.noted("Refused", func() { t.must(t.Invitations.Store.Refused(t.ctx, t.now-minute, ev)) }, bare)
			changed := t.get(inv.ID)
			changed.ExpiresAt += minute
			t.must(t.Invitations.Store.Update(t.ctx, changed, ev))
			same(t, "without a name", t.get(inv.ID).NamelessAt, t.now)
			changed.Name = "Zoe"
			t.must(t.Invitations.Store.Update(t.ctx, changed, ev))
			same(t, "with a name", t.get(inv.ID).NamelessAt, 0)
			t.nameless(inv)
			t.must(t.Invitations.Store.Ask(t.ctx, tokens.Request{ID: t.id(), Invitation: inv.ID, Room: inv.Room.ID, Browser: "b", CreatedAt: t.now}, 5, ev))
			same(t, "asked", t.get(inv.ID).NamelessAt, 0)
			t.nameless(inv)
			t.take(inv, "again")
			same(t, "used", t.get(inv.ID).NamelessAt, 0)
		}},
		{"OfPerson finds an address in any case, in rooms that the caller reaches, and nobody else's", func(t *trial) {
			mine, named, other := t.room(), t.room(), t.room(func(r *rooms.Room) { r.Owner = "bo" })
			address := fmt.Sprintf("İda_%d@Mail.example", t.now+int64(mine.ID))
			with := func(inv *tokens.Invitation) { inv.Name, inv.Email = "İda", address }
			a, b, c := t.invitation(mine, with), t.invitation(named, with), t.invitation(other, with)
			t.invitation(mine, func(inv *tokens.Invitation) { inv.Email = "x" + address })
			t.exec("UPDATE rooms SET owner = 'cy' WHERE id = $1", int64(named.ID))
			t.invitation(mine, func(inv *tokens.Invitation) { inv.Email = strings.Replace(address, "_", "-", 1) })
			ask := func(by rooms.Caller) []rooms.ID {
				ids, err := t.Invitations.Store.OfPerson(t.ctx, by, strings.ToLower(address))
				t.must(err)
				return ids
			}
			same(t, "an admin's", ask(rooms.Caller{Admin: true}), []rooms.ID{a.ID, b.ID, c.ID})
			same(t, "a host's", ask(rooms.Caller{Owner: "ada", Slugs: []string{named.Slug}}), []rooms.ID{a.ID, b.ID})
			some, err := t.Invitations.Store.Some(t.ctx, []rooms.ID{b.ID, t.id(), a.ID})
			t.must(err)
			same(t, "how many are there", len(some), 2)
			same(t, "some", some[0].ID, a.ID)
			same(t, "another's", ask(rooms.Caller{Owner: "di"}), nil)
		}},
	}
}

// nameless removes the invitation's names.
func (t *trial) nameless(inv tokens.Invitation) {
	t.Helper()
	n, err := t.Invitations.Store.RemoveNames(t.ctx, []rooms.ID{inv.ID}, 0, audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.System}, Kind: audit.NamesRemoved, Room: int64(inv.Room.ID)})
	t.must(err)
	same(t, "removed from", n, 1)
}

// removesNames gives two invitations all that can tell of people, of which one has
// ended, and looks for it in every column afterwards.
func removesNames(t *trial) {
	r := t.room()
	person := func(word string) tokens.Invitation {
		inv := t.invitation(r, func(inv *tokens.Invitation) {
			inv.Name, inv.Email, inv.ExternalID, inv.Wishes, inv.MaxUses = word+" Invited", word+"@mail.example", "booking-"+word, "avatar="+word, 2
		})
		c, ev := t.claim(inv, word+" nonce")
		c.Admission.Name, c.Admission.Browser, c.Nonce = word+" Came", word+" browser", "nonce of "+inv.ID.Show("")
		ev.Actor = audit.Actor{Kind: audit.Guest, Name: word + " Came"}
		_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
		t.must(err)
		guest := func(kind audit.Kind, detail string) audit.Event {
			return audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Guest, Name: word + " Asked"}, Kind: kind, Room: int64(r.ID), Invitation: int64(inv.ID), Detail: detail}
		}
		t.must(t.Invitations.Store.Ask(t.ctx, tokens.Request{ID: t.id(), Invitation: inv.ID, Room: r.ID, Browser: word + " phone", Name: word + " Asked", Reason: "used", CreatedAt: t.now}, 5, guest(audit.InvitationRequested, "used")))
		t.must(t.Invitations.Store.Refused(t.ctx, t.now, guest(audit.InvitationRefused, "used")))
		t.must(t.Invitations.Store.OfferMove(t.ctx, tokens.Move{Code: word + " code", Admission: c.Admission.ID, Invitation: inv.ID, Room: r.ID, Browser: word + " browser", ExpiresAt: t.now + minute}))
		_, err = t.Invitations.Store.Revoke(t.ctx, inv.ID, t.now, audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.InvitationRevoked, Room: int64(r.ID), Invitation: int64(inv.ID), Detail: "a note about " + word})
		t.must(err)
		t.exec(`INSERT INTO deliveries (id, send_key, kind, word, room_id, invitation_id, created_at, due_at, attempts, state, reason, settled_at, lease, leased_until)
			VALUES ($1, $2, 'mail', 'invited', $3, $4, 0, 0, 0, 'failed', $5, 0, '', 0)`, int64(inv.ID), inv.ID.Show("k"), int64(r.ID), int64(inv.ID), "no such user "+word)
		return inv
	}
	gone, stays := person("grace"), person("hedy")
	t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now+hour, int64(stays.ID))
	same(t, "before", len(t.Holding(t, "grace")) >= 11, true)
	kept, events := t.Holding(t, "hedy"), t.count("SELECT COUNT(*) FROM events WHERE room_id = $1", int64(r.ID))
	ev := audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.System, Name: "retention"}, Kind: audit.NamesRemoved, Room: int64(r.ID)}
	elsewhere := ev
	elsewhere.Room++
	ids := []rooms.ID{gone.ID, stays.ID}
	n, err := t.Invitations.Store.RemoveNames(t.ctx, ids, t.now+1, elsewhere)
	t.must(err)
	same(t, "of another room", n, 0)
	for want := range 2 {
		n, err = t.Invitations.Store.RemoveNames(t.ctx, ids, t.now+1, ev)
		t.must(err)
		same(t, "removed from", n, 1-want)
	}
	same(t, "where it still is", t.Holding(t, "grace"), nil)
	same(t, "where the other is", t.Holding(t, "hedy"), kept)
	same(t, "events", t.count("SELECT COUNT(*) FROM events WHERE room_id = $1", int64(r.ID)), events+1)
	inv := t.get(gone.ID)
	same(t, "what is left", [4]int64{int64(inv.Uses), inv.RedeemedAt, inv.RevokedAt, inv.NamelessAt}, [4]int64{1, t.now, t.now, t.now})
	open, err := t.Invitations.Store.OpenRequests(t.ctx, r.ID, 9)
	t.must(err)
	same(t, "open requests", len(open), 1)
	turned, err := t.Invitations.Store.TurnedAway(t.ctx, r.ID, ids)
	t.must(err)
	same(t, "turned away", turned[gone.ID], turned[stays.ID])
}
