package datatest

import (
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// letIn claims one use for a person at a door, at that moment.
func (t *trial) letIn(inv tokens.Invitation, nonce string, at int64) tokens.Admission {
	t.Helper()
	c, ev := t.claim(inv, nonce)
	c.Admission.Browser, c.Admission.CreatedAt = "", at
	a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
	t.must(err)
	return a
}

// undone is the event of the admission being undone.
func (t *trial) undone(a tokens.Admission) audit.Event {
	ev := t.event(audit.InvitationReturned, a.Room, a.Invitation)
	ev.Admission = int64(a.ID)
	return ev
}

func doorPromises() []promise {
	since := func(t *trial) int64 { return t.now - tokens.DoorUndo.Milliseconds() }
	return []promise{
		{"GiveBack ends the admission, and its use can be taken again by another nonce alone", func(t *trial) {
			inv := t.invitation(t.room())
			a := t.letIn(inv, "n", t.now-1)
			ev := t.undone(a)
			t.noted("GiveBack", func() { t.must(t.Invitations.Store.GiveBack(t.ctx, a, inv.Counter, since(t), ev)) }, ev)
			same(t, "invitation", t.get(inv.ID), inv)
			got, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "n")
			t.must(err)
			want := a
			want.EndedAt, want.Returned = t.now, true
			same(t, "admission", got, want)
			again, claimed := t.claim(inv, "n")
			t.unchanged("the spent nonce", func() {
				got, err := t.Invitations.Store.Claim(t.ctx, again, claimed)
				t.must(err)
				same(t, "what it finds", got, want)
			})
			t.letIn(inv, "another", t.now)
			same(t, "uses", t.get(inv.ID).Uses, 1)
		}},
		{"Forestall spends a nonce that claimed nothing yet, and finds what did", func(t *trial) {
			inv := t.invitation(t.room())
			none := tokens.Admission{ID: t.own.Next(t.now), Invitation: inv.ID, Room: inv.Room.ID, Role: inv.Role, CreatedAt: t.now, EndedAt: t.now, Returned: true}
			ev := t.undone(none)
			t.noted("Forestall", func() {
				got, err := t.Invitations.Store.Forestall(t.ctx, none, "n", ev)
				t.must(err)
				same(t, "what was stored", got, none)
			}, ev)
			same(t, "invitation", t.get(inv.ID), inv)
			late, claimed := t.claim(inv, "n")
			t.unchanged("the belated claim, and Forestall again", func() {
				got, err := t.Invitations.Store.Claim(t.ctx, late, claimed)
				t.must(err)
				same(t, "what the claim finds", got, none)
				again := none
				again.ID = t.own.Next(t.now)
				got, err = t.Invitations.Store.Forestall(t.ctx, again, "n", t.undone(again))
				t.must(err)
				same(t, "what Forestall finds", got, none)
			})
			in := t.letIn(inv, "another", t.now)
			t.unchanged("Forestall of what was claimed", func() {
				late := none
				late.ID = t.own.Next(t.now)
				got, err := t.Invitations.Store.Forestall(t.ctx, late, "another", t.undone(late))
				t.must(err)
				same(t, "what it finds", got, in)
				none.Invitation = inv.ID
				_, err = t.Invitations.Store.Forestall(t.ctx, none, "a third", ev)
				t.fails(err, rooms.ErrIDTaken)
			})
		}},
		{"GiveBack is ErrConflict once it was done, too late, for a browser's, and where a join link was handed out", func(t *trial) {
			r := t.room()
			refuses := func(what string, a tokens.Admission, counter tokens.Invitation) {
				t.Helper()
				t.unchanged(what, func() {
					t.fails(t.Invitations.Store.GiveBack(t.ctx, a, counter.ID, since(t), t.undone(a)), tokens.ErrConflict)
				})
			}
			late := t.invitation(r)
			refuses("too late", t.letIn(late, "n", since(t)), late)
			page := t.invitation(r)
			refuses("a browser's", t.take(page, "n"), page)
			inside := t.invitation(r)
			a := t.letIn(inside, "n", t.now)
			t.exec("UPDATE admissions SET entered_at = 1 WHERE id = $1", int64(a.ID))
			refuses("a join link was handed out", a, inside)
			removed := t.invitation(r)
			a = t.letIn(removed, "n", t.now)
			t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(a.ID))
			refuses("removed by a host", a, removed)
			done := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 2 })
			a = t.letIn(done, "n", t.now)
			t.letIn(done, "m", t.now)
			t.must(t.Invitations.Store.GiveBack(t.ctx, a, done.ID, since(t), t.undone(a)))
			refuses("done before", a, done)
		}},
		{"GiveBack gives back one of several uses, also of a shared counter, whose latest use is the latest left", func(t *trial) {
			r := t.room()
			inv := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			next := t.draft(r, func(next *tokens.Invitation) { next.MaxUses, next.Counter = 3, inv.ID })
			t.must(t.Invitations.Store.Reissue(t.ctx, inv.ID, next, t.event(audit.InvitationReissued, r.ID, next.ID)))
			first := t.letIn(inv, "1", t.now-5)
			second := t.letIn(next, "2", t.now-4)
			third := t.letIn(next, "3", t.now-3)
			back := func(a tokens.Admission, uses int, latest int64) {
				t.Helper()
				t.must(t.Invitations.Store.GiveBack(t.ctx, a, inv.ID, since(t), t.undone(a)))
				for _, id := range []tokens.Invitation{inv, next} {
					got := t.get(id.ID)
					same(t, "uses", got.Uses, uses)
					same(t, "latest use", got.RedeemedAt, latest)
				}
			}
			back(third, 2, t.now-4)
			back(first, 1, t.now-4)
			back(second, 0, 0)
		}},
		{"what was given back takes no place in the room and cannot be resumed", func(t *trial) {
			r := t.room()
			t.exec("UPDATE rooms SET capacity = 1 WHERE id = $1", int64(r.ID))
			inv := t.invitation(r)
			a := t.letIn(inv, "n", t.now)
			t.must(t.Invitations.Store.GiveBack(t.ctx, a, inv.ID, since(t), t.undone(a)))
			n, err := t.Lobby.Store.Guests(t.ctx, r.ID, t.now)
			t.must(err)
			same(t, "guests", n, 0)
			t.unchanged("resuming", func() {
				t.fails(t.Lobby.Store.Resume(t.ctx, a, t.at(-time.Hour), t.event(audit.AdmissionResumed, r.ID, inv.ID)), tokens.ErrConflict)
			})
		}},
	}
}
