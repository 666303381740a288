package datatest

import (
	"fmt"
	"sync"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// selectionPromises are those of tokens.Store about refusals and about several
// invitations at once.
func selectionPromises() []promise {
	return []promise{
		{"Refused notes a refusal unless it was noted after since, also of many at once", func(t *trial) {
			r := t.room()
			inv := t.invitation(r)
			ev := t.event(audit.InvitationRefused, r.ID, inv.ID)
			t.noted("many at once", func() {
				var all sync.WaitGroup
				for range 10 {
					all.Go(func() {
						if err := t.Invitations.Store.Refused(t.ctx, t.now-minute, ev); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
			}, ev)
			other := ev
			other.Detail = "another reason"
			t.noted("another reason", func() { t.must(t.Invitations.Store.Refused(t.ctx, t.now-minute, other)) }, other)
			other.Kind = audit.InvitationDoorConflict
			t.noted("another kind", func() { t.must(t.Invitations.Store.Refused(t.ctx, t.now-minute, other)) }, other)
			later := ev
			later.At += minute
			t.noted("a minute later", func() { t.must(t.Invitations.Store.Refused(t.ctx, t.now, later)) }, later)
		}},
		{"Names knows those there are", func(t *trial) {
			r := t.room()
			one, two := t.invitation(r), t.invitation(r)
			t.nameless(two)
			names, err := t.Invitations.Store.Names(t.ctx, []rooms.ID{one.ID, two.ID, 5, one.ID})
			t.must(err)
			same(t, "names", names, map[rooms.ID]tokens.Called{one.ID: {Name: one.Name}, two.ID: {Removed: true}})
		}},
		{"Callers are the last who said a name", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			nobody := t.invitation(inv.Room)
			for i, name := range []string{"Bo", "Cy", ""} {
				a := t.take(inv, fmt.Sprint("nonce ", i))
				t.exec("UPDATE admissions SET name = $1 WHERE id = $2", name, int64(a.ID))
			}
			t.exec("UPDATE admissions SET name = '' WHERE id = $1", int64(t.take(nobody, "x").ID))
			names, err := t.Invitations.Store.Callers(t.ctx, []rooms.ID{inv.ID, nobody.ID, 5})
			t.must(err)
			same(t, "callers", names, map[rooms.ID]string{inv.ID: "Cy"})
		}},
		{"RevokeAll and RestoreAll do all of it, with their events, or nothing", func(t *trial) {
			r, elsewhere := t.room(), t.room()
			one, two, foreign := t.invitation(r), t.invitation(r), t.invitation(elsewhere)
			revoked := func(id rooms.ID) audit.Event { return t.event(audit.InvitationRevoked, r.ID, id) }
			restored := func(id rooms.ID) audit.Event { return t.event(audit.InvitationRestored, r.ID, id) }
			ids := []rooms.ID{one.ID, foreign.ID, two.ID, 7}
			t.undoneWithoutHistory(map[string]func() error{"RevokeAll": func() error {
				_, err := t.Invitations.Store.RevokeAll(t.ctx, r.ID, ids, t.now, revoked)
				return err
			}})
			t.noted("RevokeAll", func() {
				which, err := t.Invitations.Store.RevokeAll(t.ctx, r.ID, ids, t.now, revoked)
				t.must(err)
				same(t, "which", which, []rooms.ID{one.ID, two.ID})
			}, revoked(one.ID), revoked(two.ID))
			same(t, "the other room's", t.get(foreign.ID).RevokedAt, 0)
			t.unchanged("RestoreAll too late, of another moment, of another room", func() {
				for _, ask := range [][3]int64{{int64(r.ID), t.now, t.now}, {int64(r.ID), t.now + 1, 0}, {int64(elsewhere.ID), t.now, 0}, {int64(r.ID), 0, -1}} {
					n, err := t.Invitations.Store.RestoreAll(t.ctx, rooms.ID(ask[0]), ask[1], ask[2], restored)
					t.must(err)
					same(t, "how many", n, 0)
				}
			})
			t.noted("RestoreAll", func() {
				n, err := t.Invitations.Store.RestoreAll(t.ctx, r.ID, t.now, t.now-minute, restored)
				t.must(err)
				same(t, "how many", n, 2)
			}, restored(one.ID), restored(two.ID))
		}},
	}
}

// signInsPromises are those of hosts.SignIns, and of hosts.Store about epochs.
func signInsPromises() []promise {
	ids := func(t *trial, host string) (out []rooms.ID) {
		t.Helper()
		all, err := t.sessions().SignIns(t.ctx, host)
		t.must(err)
		for _, s := range all {
			out = append(out, s.ID)
		}
		return out
	}
	return []promise{
		{"SignIns are a host's own, in any case of the name; ended and known one by one", func(t *trial) {
			t.signIn("t1", "ada", 11, true)
			t.signIn("t2", "Ada", 12, false)
			t.signIn("t3", "bo", 13, false)
			same(t, "ada's", ids(t, "ADA"), []rooms.ID{12, 11})
			all, err := t.sessions().SignIns(t.ctx, "ada")
			t.must(err)
			same(t, "the first", all[1], hosts.SignIn{ID: 11, Device: hosts.Device{Browser: "Firefox", System: "Linux"}, Address: "192.0.2.7", CreatedAt: t.Clock.Millis(), SeenAt: t.Clock.Millis(), New: true})
			t.unchanged("another host's end", func() {
				t.must(t.sessions().EndSignIn(t.ctx, "bo", 11))
				t.must(t.sessions().KnowSignIn(t.ctx, "bo", 11))
			})
			t.must(t.sessions().KnowSignIn(t.ctx, "ada", 11))
			all, err = t.sessions().SignIns(t.ctx, "ada")
			t.must(err)
			same(t, "new after that", all[1].New, false)
			t.must(t.sessions().EndSignIn(t.ctx, "ada", 11))
			same(t, "after the end", ids(t, "ada"), []rooms.ID{12})
		}},
		{"the last use is noted every five minutes and no more often", func(t *trial) {
			t.signIn("t4", "cy", 14, false)
			began := t.Clock.Millis()
			t.Clock.Add(5*60e9 - 1e6)
			t.unchanged("looking within five minutes", func() { _, _, _ = t.sessions().FindCtx(t.ctx, "t4") })
			t.Clock.Add(1e6)
			_, _, err := t.sessions().FindCtx(t.ctx, "t4")
			t.must(err)
			all, err := t.sessions().SignIns(t.ctx, "cy")
			t.must(err)
			same(t, "seen", all[0].SeenAt, began+5*minute)
		}},
		{"EndSignIns ends a host's and begins an epoch, with the event or not at all", func(t *trial) {
			t.signIn("t5", "di", 15, false)
			t.signIn("t6", "ed", 16, false)
			ev := audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "di"}, Kind: audit.HostSignedOut}
			t.undoneWithoutHistory(map[string]func() error{"EndSignIns": func() error { return t.sessions().EndSignIns(t.ctx, "di", ev) }})
			same(t, "after a failure", ids(t, "di"), []rooms.ID{15})
			t.noted("EndSignIns", func() { t.must(t.sessions().EndSignIns(t.ctx, "Di", ev)) }, ev)
			same(t, "di's", len(ids(t, "di")), 0)
			same(t, "ed's", ids(t, "ed"), []rooms.ID{16})
			t.must(t.sessions().EndSignIns(t.ctx, "di", ev))
			epochs, err := t.Hosts.Epochs(t.ctx)
			t.must(err)
			same(t, "epochs", [2]int64{epochs["di"], epochs["ed"]}, [2]int64{2, 0})
		}},
	}
}
