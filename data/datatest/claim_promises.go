package datatest

import (
	"fmt"
	"sync"

	"admitone/rooms"
	"admitone/tokens"
)

func claimPromises() []promise {
	return []promise{
		{"Claim takes one use and stores the admission and its event", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 2 })
			c, ev := t.claim(inv, "n")
			t.noted("Claim", func() {
				a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.must(err)
				same(t, "admission", a, c.Admission)
			}, ev)
			stored, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "n")
			t.must(err)
			same(t, "stored admission", stored, c.Admission)
			inv.Uses, inv.RedeemedAt = 1, t.now
			same(t, "invitation", t.get(inv.ID), inv)
		}},
		{"the same nonce finds its admission and never takes a second use", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 5 })
			first := t.take(inv, "n")
			again, ev := t.claim(inv, "n")
			again.Admission.Name, again.Admission.Browser, again.Admission.CreatedAt = "Somebody", "else", t.now+5
			exact := again
			exact.Admission = first
			for what, c := range map[string]tokens.Claim{"another attempt": again, "the very same claim": exact} {
				t.unchanged(what, func() {
					a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
					t.must(err)
					same(t, what, a, first)
				})
			}
			t.exec("UPDATE invitations SET uses = 5, revoked_at = 1, expires_at = 1 WHERE id = $1", int64(inv.ID))
			t.unchanged("a retry after all is over", func() {
				a, err := t.Invitations.Store.Claim(t.ctx, again, ev)
				t.must(err)
				same(t, "admission", a, first)
			})
		}},
		{"the same nonce fifty times at once takes one use", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 50 })
			var all sync.WaitGroup
			var mu sync.Mutex
			got := map[tokens.Admission]int{}
			for range 50 {
				c, ev := t.claim(inv, "n")
				all.Go(func() {
					a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					got[a]++
				})
			}
			all.Wait()
			same(t, "different admissions", len(got), 1)
			same(t, "uses", t.get(inv.ID).Uses, 1)
			same(t, "admissions stored", t.count("SELECT COUNT(*) FROM admissions WHERE invitation_id = $1", int64(inv.ID)), 1)
			same(t, "events stored", t.count("SELECT COUNT(*) FROM events WHERE kind = 'invitation.redeemed' AND invitation_id = $1", int64(inv.ID)), 1)
		}},
		{"one nonce for two invitations is two claims", func(t *trial) {
			r := t.room()
			one, two := t.invitation(r), t.invitation(r)
			if t.take(one, "n") == t.take(two, "n") {
				t.Error("one admission for both")
			}
			same(t, "uses", t.get(one.ID).Uses+t.get(two.ID).Uses, 2)
		}},
		{"each single reason to refuse leaves no trace, and its last good moment admits", refusesForEachReason},
		{"a new nonce is admitted exactly if Invitation.Check passes", claimsAsCheckSays},
		{"a claim by a counter that is not the invitation's leaves no trace", func(t *trial) {
			r := t.room()
			inv, other := t.invitation(r), t.invitation(r)
			c, ev := t.claim(inv, "n")
			c.Counter = other.ID
			t.unchanged("Claim", func() {
				_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.fails(err, tokens.ErrNotClaimed)
			})
		}},
		{"a claim of an invitation that is not there fails and leaves no trace", func(t *trial) {
			c, ev := t.claim(t.draft(t.room()), "n")
			t.unchanged("Claim", func() {
				if _, err := t.Invitations.Store.Claim(t.ctx, c, ev); err == nil {
					t.Error("admitted")
				}
			})
		}},
		{"Claim: ErrIDTaken when the admission's id was used", func(t *trial) {
			r := t.room()
			was := t.take(t.invitation(r), "n")
			c, ev := t.claim(t.invitation(r), "n")
			c.Admission.ID = was.ID
			t.unchanged("Claim", func() {
				_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.fails(err, rooms.ErrIDTaken)
			})
		}},
		{"Admission: ErrNotFound where the nonce took no use", func(t *trial) {
			inv := t.invitation(t.room())
			t.take(inv, "n")
			_, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "other")
			t.fails(err, tokens.ErrNotFound)
			_, err = t.Invitations.Store.Admission(t.ctx, t.id(), "n")
			t.fails(err, tokens.ErrNotFound)
		}},
		{"Latest returns a browser's latest admission to a room that holds, of that role before the other, however many there are", func(t *trial) {
			r := t.room()
			guests := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 100 })
			hosts := t.invitation(r, func(inv *tokens.Invitation) { inv.Role, inv.MaxUses = tokens.Host, 50 })
			withdrawn := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 50 })
			claim := func(inv tokens.Invitation, nonce, browser string) tokens.Admission {
				c, ev := t.claim(inv, nonce)
				c.Admission.Browser = browser
				a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.must(err)
				return a
			}
			latest := func(browser string, role tokens.Role, since int64, want tokens.Admission, fails error) {
				t.Helper()
				got, err := t.Invitations.Store.Latest(t.ctx, r.ID, browser, role, since)
				t.fails(err, fails)
				same(t, "latest of "+browser+" as "+string(role), got, want)
			}
			var none tokens.Admission
			host, guest := claim(hosts, "h", "mine"), claim(guests, "g", "mine")
			var ended tokens.Admission
			for n := range 30 { // all of them later, and none holds
				claim(withdrawn, fmt.Sprint(n), "mine")
				ended = claim(guests, fmt.Sprint(n), "mine")
				t.exec("UPDATE admissions SET ended_at = $1 WHERE id = $2", t.now, int64(ended.ID))
			}
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(withdrawn.ID))
			claim(guests, "api", "")
			claim(guests, "theirs", "theirs")
			claim(t.invitation(t.room()), "n", "mine")
			latest("mine", tokens.Guest, 0, guest, nil)
			latest("mine", tokens.Host, 0, host, nil)
			latest("mine", tokens.Host, t.now-1, host, nil)
			latest("mine", tokens.Host, t.now, none, tokens.ErrNotFound)
			latest("", tokens.Guest, 0, none, tokens.ErrNotFound)
			latest("nobody's", tokens.Guest, 0, none, tokens.ErrNotFound)
			for n := range 30 { // all of them later, and all of the other role
				guest = claim(guests, fmt.Sprint("more ", n), "mine")
			}
			latest("mine", tokens.Host, 0, host, nil)
			latest("mine", tokens.Guest, 0, guest, nil)
			t.exec("UPDATE invitations SET superseded_by = 1 WHERE id = $1", int64(hosts.ID))
			latest("mine", tokens.Host, 0, guest, nil)
			t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(guest.ID))
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(guests.ID))
			guest.EndedAt = 1
			latest("mine", tokens.Host, 0, guest, nil)
		}},
	}
}

func refusesForEachReason(t *trial) {
	anyRoom := func(*rooms.Room) {}
	anyOne := func(*tokens.Invitation) {}
	for _, row := range []struct {
		name   string
		admits bool
		room   func(*rooms.Room)
		inv    func(*tokens.Invitation)
		after  string
	}{
		{"nothing is against it", true, anyRoom, anyOne, ""},
		{"superseded", false, anyRoom, anyOne, "superseded_by = 1"},
		{"revoked", false, anyRoom, anyOne, "revoked_at = 1"},
		{"used", false, anyRoom, anyOne, "uses = 1"},
		{"more than used", false, anyRoom, anyOne, "uses = 2"},
		{"room closed", false, func(r *rooms.Room) { r.ClosedAt = 1 }, anyOne, ""},
		{"expires now", false, anyRoom, func(inv *tokens.Invitation) { inv.ExpiresAt = t.now }, ""},
		{"expires in a millisecond", true, anyRoom, func(inv *tokens.Invitation) { inv.ExpiresAt = t.now + 1 }, ""},
		{"begins in a millisecond", false, anyRoom, func(inv *tokens.Invitation) { inv.NotBefore = t.now + 1 }, ""},
		{"begins now", true, anyRoom, func(inv *tokens.Invitation) { inv.NotBefore = t.now }, ""},
		{"the room opens in a millisecond", false, func(r *rooms.Room) { r.StartsAt = t.now + 1 }, anyOne, ""},
		{"the room opens now", true, func(r *rooms.Room) { r.StartsAt = t.now }, anyOne, ""},
		{"the room's hour of grace ends now", false, func(r *rooms.Room) { r.EndsAt = t.now - hour }, anyOne, ""},
		{"the room's hour of grace ends in a millisecond", true, func(r *rooms.Room) { r.EndsAt = t.now - hour + 1 }, anyOne, ""},
	} {
		inv := t.invitation(t.room(row.room), row.inv)
		if row.after != "" {
			t.exec("UPDATE invitations SET "+row.after+" WHERE id = $1", int64(inv.ID))
		}
		c, ev := t.claim(inv, "n")
		if row.admits {
			t.noted(row.name, func() {
				_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.must(err)
			}, ev)
			continue
		}
		t.unchanged(row.name, func() {
			_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
			if err == nil {
				t.Errorf("%s: admitted", row.name)
			}
			t.fails(err, tokens.ErrNotClaimed)
		})
	}
}

// claimsAsCheckSays asks, for every mix of what is looked at, the statement in
// the database and the rule in Go.
func claimsAsCheckSays(t *trial) {
	var invs []tokens.Invitation
	for mix := range 1 << 3 {
		r := t.room(func(r *rooms.Room) {
			r.ClosedAt, r.StartsAt, r.EndsAt = int64(mix&1), t.now+int64(mix>>1&1), int64(mix>>2)*(t.now-hour)
		})
		for mix := range 1 << 2 {
			change := func(inv *tokens.Invitation) { inv.NotBefore, inv.ExpiresAt = t.now+int64(mix&1), t.now+int64(mix>>1) }
			for range 1 << 3 {
				own := t.draft(r, change)
				counts := t.draft(r)
				shares := t.draft(r, change, func(inv *tokens.Invitation) { inv.Counter = counts.ID })
				invs = append(invs, own, counts, shares)
			}
		}
	}
	t.insert(invs...)
	var states [][]any
	for n, inv := range invs {
		mix, uses, withdrawn := n/3, 0, 1
		switch n % 3 {
		case 0:
			uses = mix & 1
		case 1: // only counts, whatever else it is
			uses, withdrawn = mix&1, 0
		}
		states = append(states, []any{uses, withdrawn * (mix >> 1 & 1), withdrawn * (mix >> 2 & 1), int64(inv.ID)})
	}
	t.execAll("UPDATE invitations SET uses = $1, revoked_at = $2, superseded_by = $3 WHERE id = $4", states)
	admitted := 0
	for n, inv := range invs {
		if n%3 == 1 {
			continue
		}
		want := t.get(inv.ID).Check(t.now) == nil
		c, ev := t.claim(inv, "n")
		_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
		if want {
			admitted++
			t.must(err)
		} else {
			t.fails(err, tokens.ErrNotClaimed)
		}
	}
	same(t, "admitted, with a counter of their own and with another's", admitted, 2)
	same(t, "admissions", t.count("SELECT COUNT(*) FROM admissions WHERE room_id >= $1", int64(invs[0].Room.ID)), admitted)
}
